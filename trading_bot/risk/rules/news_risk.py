"""Bad news is a reason to buy less, or nothing; good news is none to buy more."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le

from trading_bot.domain.money import CENT
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed, refused


@risk_rule("news_risk")
@dataclass(frozen=True, slots=True)
class NewsRisk:
    """Refuse to buy on news as bad as `news_veto`, and buy less on news that is bad, at most `news_influence` less.

    Shares = equity x wanted weight x (1 - news_influence x badness / news_veto) / price - held, where badness is how
    far the session's sentiment lies below 0, in [0, 1]. Without news, or with good news, an entry passes.
    """

    news_veto: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.8")  # badness
    news_influence: Annotated[Decimal, Ge(0), Le(1)] = Decimal("0.5")  # share of the wanted position
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("NEWS_ALLOWS", "NEWS_BAD", "NEWS_FORBIDS")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, fewer, or none; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "NEWS_ALLOWS", observed=NOT_FOR_EXITS)
        scores = context.market.history.sentiment
        column = context.market.history.find(order.symbol)
        score = float("nan") if scores is None or column is None or not len(scores) else float(scores[-1, column])
        if not score < 0:  # also for NaN, which says that there is no news
            return passed(order, "NEWS_ALLOWS", observed="no news" if isnan(score) else f"{score:+.2f}")
        badness, limit, unit = Decimal(repr(-score)), self.news_veto, "sentiment below 0"
        seen = badness.quantize(CENT)
        if badness >= limit:
            message = f"the news of {order.symbol} is bad ({score:+.2f}): no entry from {-limit:+.2f} down"
            return refused(order, "NEWS_FORBIDS", message, observed=seen, limit=limit, unit=unit)
        left = 1 - self.news_influence * badness / limit
        wanted = context.equity * Decimal(repr(order.signal.wanted_weight)) * left / order.price
        room = wanted - context.portfolio.held(order.symbol)
        return capped(
            order,
            room,
            ("NEWS_ALLOWS", "NEWS_BAD"),
            lambda: f"the news of {order.symbol} is bad ({score:+.2f}): {left:.0%} of what was wanted",
            observed=seen,
            limit=limit,
            unit=unit,
        )
