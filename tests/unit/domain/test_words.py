"""How amounts and decisions are said."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.reporting.cycle_reports import approved, refused, signal, trimmed
from trading_bot.domain.orders import Decision, Rejected
from trading_bot.domain.words import (
    asked_and_allowed,
    counted,
    dollars,
    listed,
    objection,
    one_line,
    or_unknown,
    price_text,
    same_refusals,
    sentence,
    shares_text,
    signed_dollars,
    signed_percent,
    verdict,
    wish,
)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "$0.00"), ("1234567.5", "$1,234,567.50"), ("-1234.505", "-$1,234.50"), ("-0.001", "$0.00")],
)
def test_dollars_are_told_to_the_cent(amount: str, text: str):
    assert dollars(Decimal(amount)) == text


@pytest.mark.parametrize(("amount", "text"), [("3.1", "+$3.10"), ("-3.1", "-$3.10"), ("0.004", "$0.00")])
def test_gains_and_losses_carry_their_sign(amount: str, text: str):
    assert signed_dollars(Decimal(amount)) == text


@pytest.mark.parametrize(("price", "text"), [("411.23", "$411.23"), ("0.5123", "$0.5123"), ("0", "$0.00")])
def test_prices_below_a_dollar_show_their_finer_tick(price: str, text: str):
    assert price_text(Decimal(price)) == text


@pytest.mark.parametrize(
    ("quantity", "text"), [("1250", "1,250"), ("0.50", "0.5"), ("1E+3", "1,000"), ("-3", "-3"), ("10.0", "10")]
)
def test_shares_have_no_needless_zeros(quantity: str, text: str):
    assert shares_text(Decimal(quantity)) == text


@pytest.mark.parametrize(("ratio", "text"), [("0.0123", "+1.23%"), ("-0.5", "-50.00%"), ("-0.00001", "0.00%")])
def test_changes_are_told_in_percent(ratio: str, text: str):
    assert signed_percent(Decimal(ratio)) == text


def test_an_amount_nobody_knows_is_unknown():
    assert or_unknown(None, dollars) == "unknown"


def test_one_of_a_kind_has_no_plural():
    assert (counted(1, "fill"), counted(0, "fill"), counted(1200, "fill")) == ("1 fill", "0 fills", "1,200 fills")


def test_foreign_text_loses_line_breaks_and_control_characters():
    assert one_line("up\r\n\x1b[31mred\x07  end\u202e") == "up [31mred end"


@pytest.mark.parametrize(("text", "said"), [("rising", "rising."), ("why?", "why?"), ("", ""), (" done. ", "done.")])
def test_a_sentence_ends_with_one_stop(text: str, said: str):
    assert sentence(text) == said


def test_a_long_list_names_the_first_and_counts_the_rest():
    assert listed(["A", "B", "C", "D"], most=2) == "A, B and 2 more"


@pytest.mark.parametrize(
    ("decision", "order", "said"),
    [
        (approved("AAPL", 98), "buy 98 AAPL", "approved"),
        (trimmed("AAPL", 98, 49), "buy 49 of 98 AAPL", "trimmed"),
        (refused("AAPL", 98), "buy 98 AAPL", "refused"),
        (refused("AAPL", 0), "buy AAPL", "refused"),
    ],
)
def test_a_decision_is_told_by_what_was_asked_and_what_was_allowed(decision: Decision, order: str, said: str):
    assert (asked_and_allowed(decision), verdict(decision)) == (order, said)


@pytest.mark.parametrize(
    ("strategy", "reason", "said"),
    [
        ("rsi", "RSI is 29", "rsi: RSI is 29."),
        ("sma+rsi", "sma: it rises; rsi: it fell", "sma: it rises; rsi: it fell."),
        ("stop", "", "stop:"),
    ],
)
def test_a_wish_names_its_strategies_once(strategy: str, reason: str, said: str):
    assert wish(signal("KO", strategy=strategy, reason=reason)) == said


def test_a_refusal_without_a_ruling_gives_its_own_reason():
    decision = Rejected(approved("IBM", 1).signal, Decimal(0), Decimal(0), "", "no price", ())

    assert objection(decision) == "no price"


def test_three_refusals_by_one_rule_are_told_at_once():
    decisions = [refused("KO"), approved("IBM", 1), refused("PG"), refused("T"), refused("XOM", rule="max_sector")]

    (group,) = same_refusals(decisions)

    assert group.told(more=True) == "3 more refused by max_open_trades: 5 of 5 positions are taken: KO, PG, T"


def test_refusals_with_different_words_quote_the_first_by_name():
    (group,) = same_refusals([refused(symbol, rule="cash", message=f"no money for {symbol}") for symbol in "ABC"])

    assert group.told(more=False, most=2) == "3 refused by cash: for example A: no money for A: A, B and 1 more"
