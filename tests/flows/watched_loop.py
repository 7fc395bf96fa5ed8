"""Serve, as `bensbot serve` does, a loop that trades, an end of the day that hangs, a halt, and the alarm.

Run as `python -m tests.flows.watched_loop SETTINGS INTERVAL`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from prefect import aserve, flow
from prefect.schedules import Interval

from flows.alarm import alarm
from flows.control import halt
from flows.cycle import trading_cycle


@flow(name="end-of-day", persist_result=False)
async def hangs(params: dict[str, Any]) -> None:
    """Live until killed."""
    del params
    await asyncio.sleep(600)


async def main(config: str, seconds: int) -> None:
    defaults: dict[str, Any] = {"parameters": {"params": {"config": config}}, "tags": ["bensbot"]}
    loop = await trading_cycle.ato_deployment("bensbot", schedules=[Interval(seconds)], **defaults)
    others = [await one.ato_deployment("bensbot", **defaults) for one in (hangs, halt, alarm)]
    await aserve(loop, *others, pause_on_shutdown=False, limit=8, query_seconds=2)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
