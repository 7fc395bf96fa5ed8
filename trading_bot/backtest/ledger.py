"""The engine with explicit terms: all opinions at once, then a plain ledger, session by session and to the cent.

What happens in a session, in this order:

1. Splits: held shares are multiplied, the fraction of a share is paid in cash, orders on the symbol are void.
2. Orders of the close before fill, reductions first: at the open, or at the close (`Terms.fill`). The price slips
   against us. An order whose symbol does not trade expires, and so does what the volume leaves unfilled. A purchase
   takes what cash pays for; without `short` a sale takes what is held.
3. On the last session, open positions are closed at its open (`LastBar.CLOSE_AT_OPEN`).
4. The close decides (`deciding`). With `FillAt.SAME_CLOSE` its orders fill at once, at the price that decided.
5. On the last session, open positions are closed at its close (`LastBar.CLOSE_AT_CLOSE`).
6. Equity is cash plus every position at its newest close.

Terms that mean what the live bot means (weighted, next open, whole shares, no shorts) come to its equity, cent by cent
and session by session, as long as no risk rule binds.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import numpy as np

from trading_bot.backtest.account import Account, Point, sides
from trading_bot.backtest.dealing import Dealing
from trading_bot.backtest.deciding import UNKNOWN, Close, Ordered, all_in, by_weight
from trading_bot.backtest.filling import RETRIED, Cut, Got, Offer, fill
from trading_bot.backtest.foresight import require_causality
from trading_bot.backtest.question import LedgerQuestion
from trading_bot.backtest.tape import Tape
from trading_bot.backtest.wishes import Wishes, wishes
from trading_bot.backtest.yardstick import yardstick
from trading_bot.data.past import Chapter
from trading_bot.domain.backtest import BacktestResult, Engine, Execution, FillAt, LastBar, Sizing
from trading_bot.domain.market import FloatVector, SessionAxis
from trading_bot.domain.money import ZERO, cents

AT_THE_END = "last bar"  # who wanted an execution that closes what is still open


def run_ledger(question: LedgerQuestion) -> BacktestResult:
    """Trade every session of the question's past.

    Raises:
        WrongAnswer: a strategy failed, or answered with what is no opinion.
        DataError: the prices of a session are missing.
        LooksAhead: a strategy knows on some session what came later.
    """
    ledger = _Ledger(question)
    for chapter, days in question.past.chapters():
        ledger.trade(chapter, days)
    return ledger.result()


class _Ledger:
    """The account, the orders on their way, and what has been counted."""

    def __init__(self, question: LedgerQuestion) -> None:
        self._asked, self._terms, self._dealing = question, question.terms, Dealing(question.terms)
        self._last_day = question.past.days[-1]
        self._account = Account(cents(question.opening))
        self._orders: list[Ordered] = []
        self._acted: dict[int, float] = {}  # column → the opinion that was acted on, for ALL_IN
        self._yesterday = date.max  # the first session meets no position that a split could change
        self._points: list[Point] = []
        self._came_to = Counter({"approved": 0, "resized": 0, "rejected": 0})
        self._cuts: Counter[str] = Counter()
        self._prices: dict[int, Decimal] = {}

    def trade(self, chapter: Chapter, days: SessionAxis) -> None:
        """Trade the days of one chapter, within which the basis of prices does not change."""
        history = chapter.history
        tape = Tape(history)
        wanted = wishes(history, self._asked.team, self._asked.targets, self._terms)
        rows: list[int] = np.searchsorted(history.sessions, days).tolist()
        for member, opinion in zip(wanted.team, wanted.opinions, strict=True):
            require_causality(member.name, member.strategy, opinion, history, rows[0] + 1)
        for row in rows:
            self._split(chapter, tape, row)
            self._session(tape, wanted, row)
            self._yesterday = history.sessions[row].astype(object)

    def _split(self, chapter: Chapter, tape: Tape, row: int) -> None:
        sessions = tape.history.sessions
        today: date = sessions[row].astype(object)
        for split in (each for each in chapter.sifted.splits if self._yesterday < each.session <= today):
            column = tape.history.find(split.symbol)
            if column is None:
                continue
            at = int(np.searchsorted(sessions, np.datetime64(split.session), side="right")) - 1
            self._account.split(column, split, tape.worth(at, column))
            void = [order for order in self._orders if order.column == column]
            self._orders = [order for order in self._orders if order.column != column]
            for order in void:
                self._count(order, Got(ZERO, ZERO, ZERO, Cut.SPLIT))

    def _session(self, tape: Tape, wanted: Wishes, row: int) -> None:
        terms, is_last = self._terms, bool(tape.history.sessions[row] == self._last_day)
        at_once = terms.fill is FillAt.SAME_CLOSE
        self._fill_all(tape, row, at_open=terms.fill is FillAt.NEXT_OPEN)
        if is_last and terms.last_bar is LastBar.CLOSE_AT_OPEN:
            self._close_all(tape, row, at_open=True)
        if not is_last or (at_once and terms.last_bar is LastBar.KEEP):  # else nothing could fill any more
            self._orders = self._decide(tape, wanted, row)
        if at_once:
            self._fill_all(tape, row, at_open=False)
        if is_last and terms.last_bar is LastBar.CLOSE_AT_CLOSE:
            self._close_all(tape, row, at_open=False)
        self._points.append(self._account.point(tape, row))
        if is_last:
            self._prices = {column: tape.worth(row, column) for column in self._account.shares}

    def _decide(self, tape: Tape, wanted: Wishes, row: int) -> list[Ordered]:
        equity = self._account.equity(lambda column: tape.worth(row, column))
        at = Close(row, tape, wanted, dict(self._account.shares), equity)
        if self._terms.sizing is Sizing.ALL_IN:
            return all_in(at, self._dealing, self._acted)
        return by_weight(at, self._dealing, self._asked.targets.rebalance_threshold)

    def _fill_all(self, tape: Tape, row: int, *, at_open: bool) -> None:
        orders, self._orders = self._orders, []
        for order in orders:
            got = fill(order, self._offer(tape, row, order.column, at_open=at_open), self._dealing)
            self._count(order, got)
            if got.shares:
                self._book(tape, row, order, got)

    def _offer(self, tape: Tape, row: int, column: int, *, at_open: bool) -> Offer:
        trades = tape.opening if at_open else tape.close

        def price(each: int) -> Decimal:
            return trades(row, each) or tape.worth(row - 1, each)

        return Offer(
            traded=trades(row, column),
            volume=tape.most_of_volume(row, column, self._terms.volume_share),
            held=self._account.held(column),
            cash=self._account.cash,
            equity=lambda: self._account.equity(price),
        )

    def _count(self, order: Ordered, got: Got) -> None:
        self._came_to["approved" if not got.cut else "resized" if got.shares else "rejected"] += 1
        if got.cut and not got.shares:
            self._cuts[got.cut] += 1
        if got.cut in RETRIED:
            self._acted[order.column] = UNKNOWN

    def _book(self, tape: Tape, row: int, order: Ordered, got: Got) -> None:
        symbol, session = tape.history.symbols[order.column], tape.history.sessions[row].item()
        fee, why = got.fee, order.reason
        done = Execution(session, symbol, order.side, got.shares, got.price, fee, order.strategy, why)
        self._account.book(order.column, done)

    def _close_all(self, tape: Tape, row: int, *, at_open: bool) -> None:
        """Close what is open, whatever the volume; what does not trade stays."""
        for column, held in sorted(self._account.shares.items()):
            traded = (tape.opening if at_open else tape.close)(row, column)
            if traded is None:
                continue
            _, side = sides(held)
            shares, price = abs(held), self._dealing.price(traded, side)
            order = Ordered(column, side, ZERO, shares, True, True, 0.0, AT_THE_END, "the backtest ends here")
            self._book(tape, row, order, Got(shares, price, self._dealing.fee(shares, price)))

    def result(self) -> BacktestResult:
        """Return what everything has come to."""
        asked, account, points = self._asked, self._account, self._points
        symbols = asked.past.raw.symbols
        benchmark, named = yardstick(asked.past)
        return BacktestResult(
            engine=Engine.VECTORISED,
            label=asked.label,
            opening=cents(asked.opening),
            sessions=asked.past.days,
            equity=_column([point.equity for point in points]),
            cash=_column([point.cash for point in points]),
            gross=_column([point.gross for point in points]),
            executions=tuple(account.executions),
            benchmark=benchmark,
            benchmark_name=named,
            fingerprints=asked.fingerprints,
            settings=asked.settings,
            decisions=dict(self._came_to),
            rejections={str(cut): count for cut, count in self._cuts.most_common()},
            splits=tuple(account.splits),
            prices={symbols[column]: price for column, price in self._prices.items()},
        )


def _column(dollars: list[Decimal]) -> FloatVector:
    return np.array([float(each) for each in dollars], dtype=np.float64)
