"""Say amounts and decisions to people, in one way everywhere: console, artifacts, notices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from trading_bot.domain.money import cents
from trading_bot.domain.orders import (
    Approved,
    Decision,
    OrderIntent,
    OrderUpdate,
    Rejected,
    Side,
    Signal,
    binding_ruling,
)
from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol


def dollars(amount: Decimal) -> str:
    """Return an amount to the cent: `-$1,234.50`."""
    rounded = cents(amount)
    return f"{'-' if rounded < 0 else ''}${abs(rounded):,.2f}"


def signed_dollars(amount: Decimal) -> str:
    """Return a gain or loss to the cent: `+$12.00`, `-$3.10`; nothing gained or lost is `$0.00`."""
    return f"{'+' if cents(amount) > 0 else ''}{dollars(amount)}"


def price_text(price: Decimal) -> str:
    """Return dollars per share: to the cent from one dollar up, four digits below."""
    return dollars(price) if abs(price) >= 1 or not price else f"{'-' if price < 0 else ''}${abs(price):.4f}"


def shares_text(quantity: Decimal) -> str:
    """Return a number of shares without needless zeros: `1,250`, `0.5`."""
    text = f"{quantity:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed_percent(ratio: Decimal) -> str:
    """Return a change as percent with two digits: 0.0123 is `+1.23%`."""
    rounded = cents(ratio * 100)
    return f"{'+' if rounded > 0 else ''}{rounded or abs(rounded):,.2f}%"


def or_unknown(amount: Decimal | None, say: Callable[[Decimal], str]) -> str:
    """Return the amount as `say` says it, `unknown` when there is none."""
    return "unknown" if amount is None else say(amount)


def counted(number: int, noun: str) -> str:
    """Return `1 fill`, `2 fills`, `1,200 fills`. The noun takes a plain s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def one_line(text: str) -> str:
    """Return foreign text on one line and without control characters, safe to show in a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def sentence(text: str) -> str:
    """Return one line that ends with a full stop; empty text stays empty."""
    line = one_line(text)
    return line if not line or line[-1] in ".!?…" else f"{line}."


def listed(names: Iterable[str], *, most: int) -> str:
    """Return `A, B, C and 4 more`: at most `most` names are written out."""
    lines = [one_line(name) for name in names]
    shown = ", ".join(lines[:most])
    return shown if len(lines) <= most else f"{shown} and {len(lines) - most:,} more"


def trade(side: Side, quantity: Decimal, symbol: Symbol) -> str:
    """Return what is done in three words: `buy 98 AAPL`."""
    return f"{side} {shares_text(quantity)} {one_line(symbol)}"


def asked_and_allowed(decision: Decision) -> str:
    """Return what is traded of what was wanted: `buy 49 of 98 AAPL`; a refusal says what was wanted."""
    signal = decision.signal
    if isinstance(decision, Rejected):
        wanted = shares_text(decision.requested) if decision.requested else ""
        return " ".join(part for part in (str(signal.side), wanted, one_line(signal.symbol)) if part)
    until = "" if signal.stop_price is None else f" {waits_for(signal.side, signal.stop_price)}"
    if isinstance(decision, Approved):
        return trade(signal.side, decision.quantity, signal.symbol) + until
    allowed, asked = shares_text(decision.quantity), shares_text(decision.requested)
    return f"{signal.side} {allowed} of {asked} {one_line(signal.symbol)}{until}"


def waits_for(side: Side, stop: Decimal) -> str:
    """Return what a stop order waits for: `once it falls to $90.00`."""
    return f"once it {'rises' if side is Side.BUY else 'falls'} to {price_text(stop)}"


def ordered(order: OrderUpdate | OrderIntent) -> str:
    """Return what was ordered: `buy 98 AAPL at $99.00 or better`."""
    text = trade(order.side, order.quantity, order.symbol)
    if order.stop_price is not None:
        text += f" {waits_for(order.side, order.stop_price)}"
    return text if order.limit_price is None else f"{text} at {price_text(order.limit_price)} or better"


def verdict(decision: Decision) -> str:
    """Return `approved`, `trimmed` or `refused`."""
    if isinstance(decision, Approved):
        return "approved"
    return "refused" if isinstance(decision, Rejected) else "trimmed"


def wish(signal: Signal) -> str:
    """Return why a signal exists, in a sentence that names the strategies once."""
    said = sentence(signal.reason)
    if all(name in said for name in signal.strategy.split("+")):
        return said
    return f"{one_line(signal.strategy)}: {said}".rstrip()


def objection(decision: Decision) -> str:
    """Return why a rule bound, in its own words; empty for an order that was let through."""
    if isinstance(decision, Approved):
        return ""
    ruling = binding_ruling(decision)
    return one_line(ruling.message if ruling else decision.reason)


@dataclass(frozen=True, slots=True)
class SameRefusal:
    """Refusals by one rule, told in one breath."""

    rule: str
    decisions: tuple[Rejected, ...]

    @property
    def why(self) -> str:
        """The rule's words; where they differ by symbol, those for the first one, named."""
        words = [objection(decision) for decision in self.decisions]
        first = self.decisions[0].signal.symbol
        return words[0] if len(set(words)) == 1 else f"for example {one_line(first)}: {words[0]}"

    def told(self, *, more: bool, most: int = 12) -> str:
        """Return `11 more refused by max_open_trades: 5 of 5 positions are taken: MSFT, IBM …`."""
        names = listed((decision.signal.symbol for decision in self.decisions), most=most)
        count = f"{len(self.decisions):,}{' more' if more else ''}"
        rule = f"refused by {one_line(self.rule)}" if self.rule else "refused"
        return f"{count} {rule}: {self.why.rstrip('.')}: {names}"


def same_refusals(decisions: Sequence[Decision], *, least: int = 3) -> tuple[SameRefusal, ...]:
    """Return the rules that refused `least` orders or more, in the order of their first refusal."""
    by_rule: dict[str, list[Rejected]] = {}
    for decision in decisions:
        if isinstance(decision, Rejected):
            by_rule.setdefault(decision.rule, []).append(decision)
    return tuple(SameRefusal(rule, tuple(refused)) for rule, refused in by_rule.items() if len(refused) >= least)
