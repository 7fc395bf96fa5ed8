# ruff: noqa: E501 - a table of inputs and messages reads best with one case a line
"""Faults 63 to 65: what is wrong is named, with the place and the fix."""

import pytest

from trading_bot.config.typed_settings import load_config
from trading_bot.domain.errors import SettingsError

# ── 63: unknown keys ──────────────────────────────────────────────────────────────────────────────


def test_fault_63_unknown_key_in_the_file_names_the_nearest(config, refusal):
    config("risk:\n  max_positon_pct: 0.1\n")

    assert refusal() == (
        "risk.max_positon_pct (config.yaml, line 2) is no setting. Did you mean risk.max_position_pct?"
    )


def test_fault_63_unknown_section_names_the_nearest(config, refusal):
    config("rsk: {max_open_trades: 3}")

    assert refusal() == "rsk (config.yaml, line 1) is no setting. Did you mean risk?"


def test_fault_63_key_without_its_section_names_the_section(config, refusal):
    config("max_open_trades: 3")

    assert refusal() == "max_open_trades (config.yaml, line 1) is no setting. Did you mean risk.max_open_trades?"


def test_fault_63_key_in_the_wrong_section_names_the_right_one(config, refusal):
    config("strategy: {max_open_trades: 3}")

    assert "Did you mean risk.max_open_trades?" in refusal()


def test_fault_63_unknown_key_deep_in_a_list_names_the_nearest(config, refusal):
    config("strategy:\n  team:\n    - {name: momentum, wieght: 2}\n")

    assert refusal() == (
        "strategy.team.0.wieght (config.yaml, line 2) is no setting. Did you mean strategy.team.0.weight?"
    )


def test_fault_63_unknown_key_like_nothing_else_lists_what_exists(config, refusal):
    config("notification: {telephone: 1}")

    assert refusal() == "notification.telephone (config.yaml, line 1) is no setting. There are: urls, min_level."


def test_fault_63_section_without_keys_takes_none(config, refusal):
    config("intelligence: {news: true}")

    assert refusal() == "intelligence.news (config.yaml, line 1) is no setting. There are: none."


def test_fault_63_unknown_key_in_json_names_the_nearest(folder):
    (folder / "bot.json").write_text('{"risk": {"max_opn_trades": 3}}')

    with pytest.raises(SettingsError, match=r"risk.max_opn_trades \(bot.json\).*risk.max_open_trades"):
        load_config("bot.json")


def test_fault_63_key_twice_is_refused_with_both_lines(config, refusal):
    config("risk:\n  max_open_trades: 5\n  max_open_trades: 6\n")

    assert refusal() == "config.yaml sets 'max_open_trades' twice, in line 2 and in line 3. Keep one of them."


def test_fault_63_key_twice_inside_a_list_is_refused(config, refusal):
    config("strategy:\n  team:\n    - name: momentum\n      name: sma_cross\n")

    assert "sets 'name' twice" in refusal()


def test_fault_63_key_twice_in_json_is_refused(folder):
    (folder / "bot.json").write_text('{"risk": {"max_open_trades": 3, "max_open_trades": 4}}')

    with pytest.raises(SettingsError, match="sets 'max_open_trades' twice"):
        load_config("bot.json")


# ── 64: unknown variables ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [
        "BENSBOT_RISK__MAX_POSITON_PCT",  # a letter is missing
        "BENSBOT_RISK_MAX_POSITION_PCT",  # one underscore
        "BENSBOT_RSK__MAX_POSITION_PCT",
        "BENSBOT_MAX_POSITION_PCT",  # no section
        "BENSBOT_DATA__MAX_POSITION_PCT",  # another section
        "BENSBOT_RISK__MAX_POSITION_PCT__X",  # too deep
    ],
)
def test_fault_64_unknown_variable_names_the_nearest(monkeypatch, refusal, name):
    monkeypatch.setenv(name, "0.1")

    assert refusal() == (f"The environment variable {name} is no setting. Did you mean BENSBOT_RISK__MAX_POSITION_PCT?")


def test_fault_64_unknown_variable_of_a_misspelt_section_names_the_section(monkeypatch, refusal):
    monkeypatch.setenv("BENSBOT_RSK__X", "1")

    assert "The environment variable BENSBOT_RSK__X is no setting. Did you mean BENSBOT_RISK__" in refusal()


def test_fault_64_unknown_variable_like_nothing_else_lists_the_sections(monkeypatch, refusal):
    monkeypatch.setenv("BENSBOT_ZZZ", "1")

    assert "BENSBOT_ORCHESTRATOR__, BENSBOT_HOURS__, BENSBOT_BROKER__, BENSBOT_RISK__" in refusal()


def test_fault_64_variable_of_a_whole_section_lists_its_keys(monkeypatch, refusal):
    monkeypatch.setenv("BENSBOT_NOTIFICATION", "{}")

    assert refusal().endswith("The section notification has: urls, min_level.")


def test_fault_64_unknown_variable_in_dotenv_names_the_line(folder, refusal):
    (folder / ".env").write_text("OTHER=1\nBENSBOT_RISK__MAX_OPEN_TRADE=3\n")

    assert refusal() == (
        "BENSBOT_RISK__MAX_OPEN_TRADE in line 2 of .env is no setting. Did you mean BENSBOT_RISK__MAX_OPEN_TRADES?"
    )


def test_fault_64_unknown_variable_in_dotenv_is_refused_even_when_the_environment_is_right(
    folder, refusal, monkeypatch
):
    (folder / ".env").write_text("BENSBOT_RISK__MAX_OPEN_TRADE=3\n")
    monkeypatch.setenv("BENSBOT_RISK__MAX_OPEN_TRADES", "3")

    assert "BENSBOT_RISK__MAX_OPEN_TRADE in line 1 of .env" in refusal()


def test_fault_64_variable_twice_in_dotenv_is_refused(folder, refusal):
    (folder / ".env").write_text("BENSBOT_RISK__MAX_OPEN_TRADES=3\nBENSBOT_RISK__MAX_OPEN_TRADES=4\n")

    assert refusal() == (
        "BENSBOT_RISK__MAX_OPEN_TRADES in line 2 of .env sets risk.max_open_trades a second time: keep one of them."
    )


def test_fault_64_empty_variable_is_refused(monkeypatch, refusal):
    monkeypatch.setenv("BENSBOT_STATE__URL", "")

    assert refusal() == (
        "The environment variable BENSBOT_STATE__URL is empty: give it a value, or remove it to use the default."
    )


def test_fault_64_line_of_dotenv_without_an_equals_sign_is_refused(folder, refusal):
    (folder / ".env").write_text("BENSBOT_RISK__MAX_OPEN_TRADES 3\n")

    assert refusal() == "Line 1 of .env cannot be read. Write NAME=value, a value with spaces in quotes."


# ── 65: wrong values ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("risk: {max_position_pct: 1.5}", "risk.max_position_pct is 1.5 (config.yaml, line 1): it must be a number, above 0 and at most 1; 1.5 % is written 0.015."),
        ("risk: {max_position_pct: 0}", "risk.max_position_pct is 0 (config.yaml, line 1): it must be a number, above 0 and at most 1."),
        ("risk: {max_open_trades: 0}", "risk.max_open_trades is 0 (config.yaml, line 1): it must be a whole number, at least 1."),
        ("broker: {slippage_bps: 1001}", "broker.slippage_bps is 1001 (config.yaml, line 1): it must be a number, at least 0 and at most 1000."),
        ("state: {lease_seconds: 9}", "state.lease_seconds is 9 (config.yaml, line 1): it must be a whole number, at least 10."),
        ("strategy: {team: [{name: momentum, weight: 0}]}", "strategy.team.0.weight is 0 (config.yaml, line 1): it must be a number, above 0."),
    ],
)  # fmt: skip
def test_fault_65_value_out_of_range_is_refused_with_the_range(config, refusal, text, message):
    config(text)

    assert refusal() == message


@pytest.mark.parametrize("value", ["nan", ".nan", ".inf", "-.inf", "inf", "Infinity", "sNaN", "1e999999999"])
@pytest.mark.parametrize("key", ["risk.max_position_pct", "risk.correlation_threshold", "broker.starting_cash"])
def test_fault_65_not_a_number_and_infinity_are_refused(config, refusal, key, value):
    section, name = key.split(".")
    config(f"{section}: {{{name}: {value}}}")

    assert refusal().startswith(f"{key} is ")


def test_fault_65_not_a_number_in_json_is_refused(folder):
    (folder / "bot.json").write_text('{"risk": {"max_position_pct": NaN}}')

    with pytest.raises(SettingsError, match=r"risk.max_position_pct is nan"):
        load_config("bot.json")


def test_fault_65_not_a_number_in_a_variable_is_refused(monkeypatch, refusal):
    monkeypatch.setenv("BENSBOT_RISK__MAX_POSITION_PCT", "nan")

    assert refusal() == (
        "risk.max_position_pct is 'nan' (the environment variable BENSBOT_RISK__MAX_POSITION_PCT): "
        "it must be a number, above 0 and at most 1."
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [("5%", "0.05"), ("5 %", "0.05"), ("12.5%", "0.125"), ("'0,05'", "0.05"), ("100%", "1")],
)
def test_fault_65_per_cent_sign_and_decimal_comma_are_told_what_to_write(config, refusal, written, meant):
    config(f"risk:\n  max_position_pct: {written}\n")

    assert refusal().endswith(f"(config.yaml, line 2): write {meant}.")


def test_fault_65_thousands_with_commas_are_told_what_to_write(config, refusal):
    config('broker: {starting_cash: "100,000"}')

    assert refusal() == "broker.starting_cash is '100,000' (config.yaml, line 1): write 100000."


def test_fault_65_five_where_a_share_is_wanted_is_told_how_5_per_cent_is_written(config, refusal):
    config("risk: {max_position_pct: 5}")

    assert refusal().endswith("; 5 % is written 0.05.")


def test_fault_65_unquoted_16_30_is_told_to_write_quotes(config, refusal):
    config("orchestrator:\n  rotation_time: 16:30\n")

    assert refusal() == (
        "orchestrator.rotation_time is 990 (config.yaml, line 2): "
        'YAML reads a time without quotes as a number. Write "16:30" with quotes.'
    )


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("trailing_stop_pct: none", "it must be a number, above 0 and at most 1, or null."),
        ("time_stop_sessions: 0", "it must be a whole number, at least 1, or null."),
    ],
)
def test_what_can_be_switched_off_says_how(config, refusal, setting, wanted):
    config(f"risk: {{{setting}}}")

    assert refusal().endswith(f"(config.yaml, line 1): {wanted}")


@pytest.mark.parametrize(
    ("written", "meant"), [("930", '"15:30" or "09:30"'), ("1630", '"16:30"'), ("15:30:00", '"15:30"'), ("5", "a time")]
)
def test_a_number_where_a_time_is_wanted_is_told_each_time_that_it_may_have_been(config, refusal, written, meant):
    config(f"orchestrator: {{rotation_time: {written}}}")

    assert f"without quotes as a number. Write {meant} " in refusal()


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ('"9:30"', 'write "09:30"'),
        ('"24:00"', "between"),
        ("noon", "between"),
        ("12:05:00", '"12:05"'),
        ("40:00", 'like "16:30"'),
    ],
)
def test_fault_65_time_that_is_none_is_refused(config, refusal, written, fix):
    config(f"orchestrator: {{rotation_time: {written}}}")

    assert fix in refusal()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("risk: {max_open_trades: five}", "'five' (config.yaml, line 1): it must be a whole number, at least 1."),
        ("risk: {max_open_trades: 2.5}", "2.5 (config.yaml, line 1): it must be a whole number, at least 1."),
        ("risk: {max_open_trades: yes}", "true (config.yaml, line 1): it must be a number, not true."),
        ("risk: {max_open_trades: }", "empty (config.yaml, line 1): it must be a whole number, at least 1."),
        ("risk: {position_stop: perhaps}", "'perhaps' (config.yaml, line 1): it must be true or false."),
        ("broker: {name: 5}", "5 (config.yaml, line 1): it must be text, not empty."),
        ("state: {folder: ''}", "'' (config.yaml, line 1): it must not be empty; write . for the current folder."),
        ("broker: {name: ''}", "'' (config.yaml, line 1): it must be text, not empty."),
        ("broker: {starting_cash: 1.005}", "1.005 (config.yaml, line 1): dollars have at most two decimals."),
        ("data: {start: 20220103}", "20220103 (config.yaml, line 1): it must be a date that exists, written like 2022-01-03."),
        ("data: {start: yesterday}", "'yesterday' (config.yaml, line 1): it must be a date that exists, written like 2022-01-03."),
        ("orchestrator: {logging_level: LOUD}", "'LOUD' (config.yaml, line 1): it must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL."),
    ],
)  # fmt: skip
def test_fault_65_value_of_the_wrong_type_is_refused_with_what_is_wanted(config, refusal, text, wanted):
    config(text)

    assert refusal().endswith(f" is {wanted}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rotation: {windows: [5]}", "windows.0 is 5 (config.yaml, line 1): it must be a whole number, at least 20 and at most 2520."),
        ("news: {companies: {AAPL: }}", "companies.AAPL (config.yaml, line 1): it must be text."),
        ("news: {companies: 5}", "companies (config.yaml, line 1): it must be a mapping of names to values."),
        ("notification: {urls: [5]}", "urls.0 (config.yaml, line 1): it must be text."),
    ],
)  # fmt: skip
def test_fault_65_an_element_is_told_what_an_element_must_be(config, refusal, text, said):
    config(text)

    assert refusal().endswith(f".{said}")


@pytest.mark.parametrize(
    "key",
    [
        "orchestrator.loop_interval_seconds",
        "orchestrator.recovery_backoff_seconds",
        "broker.starting_cash",
        "broker.commission_per_share",
        "risk.max_risk_pct",
        "risk.max_open_trades",
        "strategy.rebalance_threshold",
        "state.busy_timeout_seconds",
    ],
)
def test_fault_65_negative_number_is_refused(config, refusal, key):
    section, name = key.split(".")
    config(f"{section}: {{{name}: -1}}")

    assert refusal().startswith(f"{key} is -1 (config.yaml, line 1): it must be a ")


def test_fault_65_ticker_that_yaml_reads_as_true_is_told_to_write_quotes(config, refusal):
    config("data:\n  symbols: [A, ON]\n")

    assert refusal() == (
        "data.symbols.1 is true (config.yaml, line 2): "
        'YAML reads some tickers as something else, like ON as true. Write it in quotes, like "ON".'
    )


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("data: {symbols: [A, B, A]}", "A is listed twice; list it once"),
        ("data: {symbols: ['']}", "a symbol cannot be empty"),
        ("hours: {windows: []}", "it must name at least one"),
        ("hours: {windows: [always]}", "it must be one of regular, pre-market, after-hours, or two times"),
        ("hours: {windows: ['16:00-09:30']}", "16:00 is not before 09:30"),
        ("hours: {closed_dates: 2025}", "it must be a list"),
        ("strategy: {team: []}", "it must name at least one strategy"),
        ("strategy: {team: [momentum, momentum]}", "momentum is in the team twice with the same options"),
        ("strategy: {team: [{weight: 2}]}", "strategy.team.0.name (config.yaml, line 1) is missing: add it"),
        ("strategy: {team: [5]}", "team.0 (config.yaml, line 1): it must be a name, or a mapping with a name"),
        ("rotation: {candidates: [[a]]}", "candidates.0 (config.yaml, line 1): it must be a name, or a mapping with"),
        ("news: {source: alpaca, sources: [file], file: x}", "source and sources are both given"),
        ("news: {sources: [alpaca], options: {a: 1}}", "write them beside the name, {name: …, options: …}"),
        ("news: {sources: [alpaca, alpaca]}", "alpaca is listed twice; list it once"),
        ("news: {sources: [none]}", "none reads nothing; take it out"),
        ("news: {sources: [alpaca, file]}", "source: file needs file"),
        ("risk: 5", "risk (config.yaml, line 1) is a section: its keys stand indented below it"),
        ("risk: [a]", "risk (config.yaml, line 1) is a section: its keys stand indented below it"),
        ("broker: {options: 5}", "broker.options (config.yaml, line 1): it must be a mapping of names to values"),
        ("risk: {options: {max_gap: 5}}", "risk.options.max_gap (config.yaml, line 1): it must be a mapping"),
        ("data: {start: 2022-13-45}", "data.start (config.yaml, line 1) cannot be read: a date that does not exist"),
    ],
)
def test_fault_65_list_or_section_that_makes_no_sense_is_refused(config, refusal, text, fix):
    config(text)

    assert fix in refusal()


def test_fault_65_list_variable_that_is_broken_json_is_told_both_ways_to_write_it(monkeypatch, refusal):
    monkeypatch.setenv("BENSBOT_DATA__SYMBOLS", '["AAPL"')

    assert refusal().endswith('it is no valid JSON; write a list like ["one", "two"], or one,two.')


def test_fault_65_every_wrong_setting_is_listed_at_once(config, folder, monkeypatch, refusal):
    config("risk:\n  max_open_trades: 0\n  colour: red\n")
    (folder / ".env").write_text("BENSBOT_ZZZ=1\n")
    monkeypatch.setenv("BENSBOT_DATA__MIN_COVERAGE", "2")

    head, *lines = refusal().splitlines()

    assert head == "4 settings are wrong:"
    assert sorted(line.split()[1] for line in lines) == [
        "BENSBOT_ZZZ",
        "data.min_coverage",
        "risk.colour",
        "risk.max_open_trades",
    ]


# ── 65: the file itself ───────────────────────────────────────────────────────────────────────────


def test_fault_65_missing_file_is_refused_and_the_nearest_named(config):
    config("")

    with pytest.raises(SettingsError, match=r"There is no settings file confg.yaml. Did you mean config.yaml\?"):
        load_config("confg.yaml")


def test_fault_65_missing_folder_is_refused():
    with pytest.raises(SettingsError, match=r"There is no settings file etc/bot.yaml. The folder etc does not exist"):
        load_config("etc/bot.yaml")


@pytest.mark.parametrize(
    ("name", "message"),
    [("config.yaml", "There is no settings file config.yaml."), (".env", ".env cannot be read: No such file")],
)
def test_fault_65_link_to_a_file_that_is_gone_is_refused(folder, refusal, name, message):
    (folder / name).symlink_to(folder / "gone")

    assert refusal().startswith(message)


def test_fault_65_number_too_small_to_be_meant_is_refused(config, refusal):
    config("risk: {max_position_pct: '1e-999999'}")

    assert refusal().endswith("the number is too large or too small to be meant.")


@pytest.mark.parametrize("name", ["bot.toml", "bot", "", "."])
def test_fault_65_file_of_another_kind_is_refused(name):
    with pytest.raises(SettingsError, match=r"its name must end in .yaml, .yml or .json"):
        load_config(name)


def test_fault_65_folder_in_place_of_the_file_is_refused(folder, refusal):
    (folder / "config.yaml").mkdir()

    assert refusal() == "config.yaml cannot be read: Is a directory. Name a file that this user may read."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("risk:\n  a: b: c\n", "config.yaml, line 2, is no valid YAML: mapping values are not allowed here."),
        ("risk:\n\tmax_open_trades: 3\n", "config.yaml, line 2, is no valid YAML: found character TAB that cannot start any token."),
        ("risk: {max_open_trades: 3\n", "config.yaml, line 2, is no valid YAML: expected ',' or '}', but got '<stream end>'."),
        ("a: 1\n---\nb: 2\n", "config.yaml, line 2, is no valid YAML: it holds more than one document; remove the second `---`."),
        ("risk: \x00", "config.yaml is no valid YAML: it holds characters that are not allowed."),
        ("- risk\n", "config.yaml holds no settings: it must hold sections, like `risk:` with its keys below."),
        ("risk", "config.yaml holds no settings: it must hold sections, like `risk:` with its keys below."),
        ("a: &x [1]\nb: *x\n", "config.yaml, line 1: aliases (`&` and `*`) are not read. Write the keys out."),
        ("[1]: 2\n", "config.yaml, line 1: a key must be a plain word."),
        ("[" * 9000, "config.yaml is nested too deeply."),
    ],
)  # fmt: skip
def test_fault_65_broken_yaml_is_refused_with_its_line(config, refusal, text, message):
    config(text)

    assert refusal() == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"risk": }', "bot.json, line 1, is no valid JSON: Expecting value."),
        ("[]", "bot.json holds no settings"),
        ('{"risk": {"max_open_trades": ' + "9" * 5000 + "}}", "bot.json holds a number with too many digits."),
        ("[" * 99000, "bot.json is nested too deeply."),
    ],
)
def test_fault_65_broken_json_is_refused(folder, text, message):
    (folder / "bot.json").write_text(text)

    with pytest.raises(SettingsError) as caught:
        load_config("bot.json")

    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["config.yaml", ".env"])
def test_fault_65_file_in_another_encoding_is_refused(folder, refusal, name):
    (folder / name).write_bytes("BENSBOT: Zürich".encode("latin-1"))

    assert "not written in UTF-8" in refusal()
