"""The server is not locked out of its SQLite: not by what a failure leaves behind, nor by reading before writing."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from flows.prefect_server import with_tidy_connection

Case = Callable[[AsyncEngine, int], Awaitable[None]]


async def refused(connection: AsyncConnection) -> None:
    """Ask in vain for the write lock, and leave the error behind as the server does: as garbage that is a circle."""
    await connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    with pytest.raises(OperationalError, match="database is locked") as refusal:
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
    circle: list[object] = [refusal.value]
    circle.append(circle)


async def garbage_is_collected_while_one_waits_for_another(engine: AsyncEngine, patience: int) -> None:
    """Let the loop's thread collect the error of a connection that waits for a lock which the loop has to release."""
    async with engine.connect() as holder, engine.connect() as waiter:
        await holder.exec_driver_sql("BEGIN IMMEDIATE")
        await refused(waiter)
        await waiter.exec_driver_sql(f"PRAGMA busy_timeout = {patience}")
        waiting = asyncio.create_task(waiter.exec_driver_sql("BEGIN IMMEDIATE"))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        gc.collect()
        await holder.exec_driver_sql("COMMIT")
        await waiting


async def one_reads_and_another_writes_first(engine: AsyncEngine, _patience: int) -> None:
    """Begin two transactions as Prefect does, read in the first, and write in both."""
    async with engine.connect() as first, engine.connect() as second:
        await first.exec_driver_sql("PRAGMA journal_mode = WAL")
        await first.exec_driver_sql("CREATE TABLE run (id INTEGER)")
        await first.commit()
        await first.exec_driver_sql("BEGIN DEFERRED")
        await first.exec_driver_sql("SELECT * FROM run")
        writing = asyncio.create_task(write(second))
        await asyncio.sleep(0.2)
        await first.exec_driver_sql("INSERT INTO run VALUES (1)")
        await first.exec_driver_sql("COMMIT")
        await writing
        assert (await first.exec_driver_sql("SELECT count(*) FROM run")).scalar_one() == 2


async def write(connection: AsyncConnection) -> None:
    await connection.exec_driver_sql("BEGIN DEFERRED")
    await connection.exec_driver_sql("INSERT INTO run VALUES (2)")
    await connection.exec_driver_sql("COMMIT")


def carry_out(case: Case, folder: Path, *, tidy: bool, patience: int) -> None:
    """Run one case; `patience` is what its connections have with each other, in milliseconds."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'server.db'}")
    if tidy:
        event.listen(engine.sync_engine, "do_connect", with_tidy_connection)

    async def once() -> None:
        try:
            await case(engine, patience)
        finally:
            await engine.dispose()

    gc.disable()  # the garbage has to be there when the other one waits
    try:
        asyncio.run(once())
    finally:
        gc.enable()


CASES = [garbage_is_collected_while_one_waits_for_another, one_reads_and_another_writes_first]


@pytest.mark.parametrize("case", CASES)
def test_a_server_with_the_cure_waits_for_its_turn(case: Case, tmp_path: Path) -> None:
    carry_out(case, tmp_path, tidy=True, patience=60_000)


@pytest.mark.parametrize("case", CASES)
def test_without_the_cure_it_is_locked_out_which_is_why_there_is_one(case: Case, tmp_path: Path) -> None:
    with pytest.raises(OperationalError, match="database is locked"):
        carry_out(case, tmp_path, tidy=False, patience=1_000)
