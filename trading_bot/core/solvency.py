"""May this account trade at all? What the broker says of it, before a cycle is let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading_bot.core.failures import emergency_stop
from trading_bot.domain.cycle import Lease, SkipReason, TradingState
from trading_bot.domain.errors import CycleSkipped

if TYPE_CHECKING:
    from trading_bot.core.bot import Bot
    from trading_bot.domain.ports import BrokerAccount

WHO = "account check"  # who changes the state, in the book


def require_sound(bot: Bot, account: BrokerAccount, lease: Lease) -> bool:
    """Halt for an account that cannot trade; return False for one that may only shrink, which sets REDUCING.

    Raises:
        CycleSkipped: the account is blocked, or worth nothing.
        LeaseLost: another process trades now.
    """
    if reason := _why_halt(account):
        emergency_stop(bot, reason[0].lower() + reason[1:])
        raise CycleSkipped(SkipReason.HALTED, f"{reason}.")
    if not (cause := _why_reduce(account)):
        return True
    before = bot.book.control.read().state
    if before is TradingState.ACTIVE:
        control = bot.book.control.set_state(
            TradingState.REDUCING, cause=cause, who=WHO, only_from=TradingState.ACTIVE, lease=lease
        )
        if control.changed_by == WHO:
            message = f"Exits only: {cause}"
            bot.notifier.send_alert(level="warning", title="Account in trouble", message=message)
    return False


def _why_halt(account: BrokerAccount) -> str:
    if account.blocked:
        return f"The broker has blocked account {account.account_id}"
    if account.equity is not None and (account.equity.is_nan() or account.equity <= 0):
        return f"The broker says that account {account.account_id} is worth ${account.equity}"
    return ""


def _why_reduce(account: BrokerAccount) -> str:
    if account.cash < 0:
        return f"the broker says that the cash of account {account.account_id} is ${account.cash:,.2f}"
    if account.margin_call:
        return f"the broker says that account {account.account_id} has less equity than its positions need"
    return ""
