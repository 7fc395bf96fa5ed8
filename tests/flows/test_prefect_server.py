"""The server is not locked out of its SQLite: not by what a failure leaves behind, nor by reading before writing."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
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
        writing = asyncio.create_task(write(waiter, 2))
        await asyncio.sleep(0.2)
        assert not writing.done()
        gc.collect()
        await holder.exec_driver_sql("INSERT INTO run VALUES (1)")
        await holder.exec_driver_sql("COMMIT")
        await writing


async def one_reads_and_another_writes_first(engine: AsyncEngine, _patience: int) -> None:
    """Begin two transactions as Prefect does, read in the first, and write in both."""
    async with engine.connect() as first, engine.connect() as second:
        await first.exec_driver_sql("BEGIN DEFERRED")
        await first.exec_driver_sql("SELECT * FROM run")
        writing = asyncio.create_task(write(second, 2))
        await asyncio.sleep(0.2)
        await first.exec_driver_sql("INSERT INTO run VALUES (1)")
        await first.exec_driver_sql("COMMIT")
        await writing


async def write(connection: AsyncConnection, number: int) -> None:
    await connection.exec_driver_sql("BEGIN IMMEDIATE")
    await connection.exec_driver_sql(f"INSERT INTO run VALUES ({number})")
    await connection.exec_driver_sql("COMMIT")


def written_in(case: Case, folder: Path, *, tidy: bool, patience: int) -> list[int]:
    """Run one case and return what is written; connections wait `patience` milliseconds for each other."""
    file = folder / "server.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE run (id INTEGER)")
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
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
    with closing(sqlite3.connect(file)) as connection:
        return [number for (number,) in connection.execute("SELECT id FROM run ORDER BY id")]


CASES = [garbage_is_collected_while_one_waits_for_another, one_reads_and_another_writes_first]


@pytest.mark.parametrize("case", CASES)
def test_a_server_with_the_cure_waits_for_its_turn(case: Case, tmp_path: Path) -> None:
    assert written_in(case, tmp_path, tidy=True, patience=60_000) == [1, 2]


@pytest.mark.parametrize("case", CASES if sys.version_info < (3, 12) else CASES[1:])  # 3.12 closes such cursors itself
def test_without_the_cure_it_is_locked_out_which_is_why_there_is_one(case: Case, tmp_path: Path) -> None:
    with pytest.raises(OperationalError, match="database is locked"):
        written_in(case, tmp_path, tidy=False, patience=1_000)
