"""Fault 67: a planted secret never comes out of the settings as text."""

import traceback

import pytest

from trading_bot.config.show import origins_as_json, origins_as_text
from trading_bot.config.typed_settings import explain_config, load_config
from trading_bot.domain.errors import SettingsError

SECRET = "hunter2hunter2"

GOOD = f"""
broker:
  paper_url: postgresql://bot:{SECRET}@db/paper
  options: {{api_key: {SECRET}, deep: {{bearer_token: {SECRET}}}, hosts: ["amqp://bot:{SECRET}@queue"]}}
strategy: {{team: [{{name: oracle, options: {{password: {SECRET}}}}}]}}
risk: {{options: {{panel: {{webhook_url: "https://hooks/{SECRET}"}}}}}}
notification: {{urls: ["tgram://{SECRET}/1"]}}
state: {{url: "postgresql://bot:{SECRET}@db/bot"}}
"""


def everything_in(error: BaseException) -> str:
    """Return all a log or a crash report could show of an error."""
    told = "".join(traceback.format_exception(error)) + repr(error)
    while error.__context__ is not None:
        error = error.__context__
        told += repr(error) + str(vars(error))
    return told


def test_fault_67_secrets_are_not_in_the_text_of_the_settings(config):
    config(GOOD)
    settings = load_config()

    assert SECRET not in f"{settings!r} {settings!s} {settings.model_dump()} {settings.model_dump_json()}"


def test_fault_67_secrets_are_masked_in_config_show(config):
    config(GOOD)
    origins = explain_config()
    shown = origins_as_text(origins) + origins_as_json(origins)

    assert SECRET not in shown
    assert "state.url" in shown


def test_fault_67_all_secrets_are_handed_to_the_filter_that_hides_them(config):
    config(GOOD)

    assert sorted(set(load_config().secret_values())) == [
        f"amqp://bot:{SECRET}@queue",
        f"https://hooks/{SECRET}",
        SECRET,
        f"postgresql://bot:{SECRET}@db/bot",
        f"postgresql://bot:{SECRET}@db/paper",
        f"tgram://{SECRET}/1",
    ]


@pytest.mark.parametrize(
    ("query", "passwords"),
    [
        (f"password={SECRET}", {SECRET}),
        (f"sslmode=verify-full&sslpassword={SECRET}", {SECRET}),
        ("sslmode=require&pass%77ord=a%40b+c-and-more", {"a%40b+c-and-more", "a@b c-and-more"}),
        ("sslmode=require&application_name=bensbot", set[str]()),
    ],
)
def test_fault_67_passwords_behind_the_question_mark_are_hidden_by_themselves(monkeypatch, query, passwords):
    url = f"postgresql://bot@db/books?{query}"
    monkeypatch.setenv("BENSBOT_STATE__URL", url)

    assert set(load_config().secret_values()) == {url, *passwords}


def test_fault_67_an_option_with_a_password_behind_the_question_mark_is_a_secret(config):
    config(f"broker: {{options: {{mirror: 'postgresql://db/books?password={SECRET}'}}}}")

    assert SECRET not in origins_as_text(explain_config())


def test_fault_67_the_token_of_a_private_feed_is_a_secret_and_the_format_of_a_public_one_is_not(config):
    private = f"https://news.example/.rss?feed={SECRET}{SECRET}&user=me"
    config(f"news: {{sources: [{{name: rss, options: {{feeds: ['{private}', 'https://x.example/?feed=rss2']}}}}]}}")
    settings = load_config()

    assert SECRET not in origins_as_text(explain_config()) + settings.as_recorded()
    assert "feed=rss2" in origins_as_text(explain_config())
    assert set(settings.secret_values()) == {private, SECRET * 2}


@pytest.mark.parametrize(
    "text",
    [
        f"state: {{url: [{SECRET}]}}",
        f"state: {{url: {{password: {SECRET}}}}}",
        f"state: {{url: *{SECRET}}}",
        f"state: {{url: &{SECRET}}}\nrisk: &{SECRET} 5",
        f"state: {{url: !{SECRET} x}}",
        f"state: {{url: '{SECRET}}}",
        f"state: {{url: %{SECRET}}}",
        f"state: {{url: @{SECRET}}}",
        f"state: {{url: a: {SECRET}: b}}",
        f"state: {{ulr: {SECRET}}}",
        f"state: postgresql://bot:{SECRET}@db/bot",
        f"notification: {{urls: tgram://{SECRET}/1, min_level: loud}}",
        f"notification: {{urls: {{a: tgram://{SECRET}/1}}}}",
        f'notification: {{urls: ["tgram://{SECRET}/1", 5]}}',
        f"notification: {{urls: '[\"tgram://{SECRET}/1'}}",
        f"notification: {{min_level: 'tgram://{SECRET}/1'}}",
        f"notification:\n  tgram://{SECRET}/1:\n",
        f"tgram://{SECRET}/1: true",
        f"notification: ['tgram://{SECRET}/1']",
        f"telegram_token: {SECRET}",
        f"broker: {{options: {SECRET}}}",
        f'broker: {{options: \'{{"api_key": "{SECRET}\'}}',
        f"broker: {{api_token: {SECRET}}}",
        f"risk: {{options: {{panel: {SECRET}}}}}",
        f'strategy: {{team: \'[{{"name": "oracle", "options": {{"token": "{SECRET}\'}}',
        f"strategy: {{team: [{{options: {{token: {SECRET}}}}}]}}",
        f"strategy: {{team: [{{name: oracle, weight: 0, options: {{token: {SECRET}}}}}]}}",
        f"{GOOD}\nhours: {{windows: []}}\n",
    ],
)
def test_fault_67_secret_in_a_wrong_file_is_in_no_error(config, text):
    config(text)

    with pytest.raises(SettingsError) as caught:
        load_config()

    assert SECRET not in everything_in(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "BENSBOT_TELEGRAM_TOKEN",
        "BENSBOT_STATE__PASSWORD",
        "BENSBOT_STATE",
        "BENSBOT_BROKER__API_TOKEN",
        "BENSBOT_BROKER__OPTIONS",
        "BENSBOT_RISK__OPTIONS__PANEL",
    ],
)
def test_fault_67_secret_in_a_wrong_variable_is_in_no_error(monkeypatch, name):
    monkeypatch.setenv(name, SECRET)

    with pytest.raises(SettingsError) as caught:
        load_config()

    assert SECRET not in everything_in(caught.value)
    assert "BENSBOT_" in str(caught.value)


@pytest.mark.parametrize("line", [f"BENSBOT_STATE__URL='{SECRET}", f"BENSBOT_STATE__URL {SECRET}"])
def test_fault_67_secret_in_a_broken_line_of_dotenv_is_in_no_error(folder, line):
    (folder / ".env").write_text(line)

    with pytest.raises(SettingsError) as caught:
        load_config()

    assert SECRET not in everything_in(caught.value)


@pytest.mark.parametrize(
    "text", [f'{{"state": {{"url": "{SECRET}}}', f'{{"state": {{"url": ["{SECRET}"]}}}}', f'["{SECRET}"]']
)
def test_fault_67_secret_in_a_wrong_json_file_is_in_no_error(folder, text):
    (folder / "bot.json").write_text(text)

    with pytest.raises(SettingsError) as caught:
        load_config("bot.json")

    assert SECRET not in everything_in(caught.value)
