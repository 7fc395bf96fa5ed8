"""What is special about a book on a PostgreSQL server: who is let in, what its errors mean, and power cuts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import create_engine, select, text

from tests.contract.postgres import PostgresServer, ServerDesk, open_server_desk
from tests.unit.core.test_archive import fill_three_months
from tests.unit.core.trading import Desk, WallClock, WatchedOrchestrator, open_desk, settings_in
from tests.unit.state.books import TurnedClock, approved, fill_a_book
from tests.unit.state.books import open_desk as open_file_desk
from tests.unit.state.test_sql_views import EXAMPLES, VIEWS
from trading_bot.brokers import paper_sql
from trading_bot.config.sections import StateSettings
from trading_bot.core.archive import archive_old
from trading_bot.core.cycle import run_cycle
from trading_bot.core.failures import handle_failure
from trading_bot.domain.errors import StateBusy, StateCorrupt, StateError, StateFull
from trading_bot.domain.orders import ClientOrderId, Decision, OrderIntent, OrderUpdate, Signal
from trading_bot.state import StateManager, check_ledger, open_read_only, schema
from trading_bot.state.upgrade import REVISIONS

DIFFERS_BY_RUN = {"run_id", "seconds"}  # a run's own name, and how long a step took


@pytest.fixture
def server_desk(postgres: PostgresServer) -> Iterator[ServerDesk]:
    with open_server_desk(postgres.new_book()) as opened:
        yield opened


def written(url: str, metadata: Any = schema.metadata) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table as the columns' text, whatever the database."""
    with open_read_only(url) as book, book.engine.connect() as connection:
        return {
            table.name: sorted(
                tuple(row)
                for row in connection.execute(select(*[c for c in table.columns if c.name not in DIFFERS_BY_RUN]))
            )
            for table in metadata.sorted_tables
            if table.name != "lease"
        }


# ── the same books ────────────────────────────────────────────────────────────────────────────────


def test_a_book_of_a_few_days_is_the_same_row_for_row(server_desk: ServerDesk, tmp_path: Path):
    fill_a_book(server_desk)
    with open_file_desk(tmp_path / "book.db") as file_desk:
        fill_a_book(file_desk)

    on_server = written(server_desk.book.engine.url.render_as_string(hide_password=False))
    assert on_server == written(f"sqlite:///{tmp_path / 'book.db'}")
    assert len(on_server["fills"]) == 4


@pytest.mark.slow
def test_ten_traded_sessions_leave_the_same_books_of_bot_and_broker(postgres: PostgresServer, tmp_path: Path):
    book = postgres.new_database()  # of both: a dump of it is of one moment
    on_server = settings_in(tmp_path / "server", state={"url": book}, broker={"paper_url": book})
    in_files = settings_in(tmp_path / "files")

    for settings in (on_server, in_files):
        orchestrator = WatchedOrchestrator(settings)
        orchestrator.run(cycles=10)
        assert [len(orchestrator.reports), orchestrator.last_error] == [10, None]

    files = in_files.state.folder
    assert written(book) == written(f"sqlite:///{files / 'bensbot.db'}")
    assert paper_rows(book) == paper_rows(f"sqlite:///{files / 'paper.db'}")
    assert len(written(book)["fills"]) > 0
    assert [path.name for path in on_server.state.folder.glob("*.db")] == []


def paper_rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=str)
            for table in paper_sql.metadata.sorted_tables
        }
    engine.dispose()
    return found


@pytest.mark.parametrize("query", EXAMPLES)
def test_every_example_of_the_sql_page_runs_on_a_server_too(server_desk: ServerDesk, query: str):
    fill_a_book(server_desk)

    assert server_desk.rows(query)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_the_promised_columns_on_a_server_too(server_desk: ServerDesk, view: str):
    with server_desk.book.engine.connect() as connection:
        columns = connection.execute(text(f"SELECT * FROM {view}")).keys()

    assert ", ".join(columns) == VIEWS[view]


def test_the_archive_of_a_server_is_the_archive_of_a_file(server_desk: ServerDesk, tmp_path: Path):
    left: list[dict[str, list[tuple[Any, ...]]]] = []
    with open_file_desk(tmp_path / "book.db") as file_desk:
        for desk, folder in ((server_desk, tmp_path / "server"), (file_desk, tmp_path / "file")):
            fill_three_months(desk)
            settings = StateSettings(folder=folder)
            archive_old(settings, desk.book, before=date(2024, 3, 1), clock=desk.clock)
            assert check_ledger(desk.book.engine) == ()
            left.append(written(desk.book.engine.url.render_as_string(hide_password=False)))

    assert left[0] == left[1]
    assert [len(left[0][table]) for table in ("decisions", "signals", "intents")] == [5, 5, 3]
    files = sorted(path.relative_to(tmp_path / "file") for path in (tmp_path / "file").rglob("*.parquet"))
    assert len(files) == 6
    for name in files:
        assert pd.read_parquet(tmp_path / "server" / name).equals(pd.read_parquet(tmp_path / "file" / name)), name


# ── opening ───────────────────────────────────────────────────────────────────────────────────────


def test_a_book_is_made_in_an_empty_database_and_opened_again(postgres: PostgresServer):
    url = postgres.new_database()

    with StateManager.open(url, clock=TurnedClock()) as book:
        book.control.hold_until(TurnedClock().now())
    with StateManager.open(url, clock=TurnedClock()) as again:
        assert again.control.read().next_allowed_at == TurnedClock().now()


def test_an_address_without_a_driver_means_ours(postgres: PostgresServer):
    url = postgres.new_book().replace("postgresql+psycopg:", "postgresql:")

    with StateManager.open(url, clock=TurnedClock()) as book:
        assert check_ledger(book.engine) == ()


def test_many_who_start_at_once_make_one_book(postgres: PostgresServer):
    url = postgres.new_database()

    def open_it(_: int) -> str:
        with StateManager.open(url, clock=TurnedClock(), busy_timeout_seconds=30) as book:
            return book.control.read().cause

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_it, range(4))) == ["new book"] * 4


def test_a_book_in_a_schema_of_its_own_leaves_the_others_alone(postgres: PostgresServer):
    url = postgres.new_book()
    name = url.partition("@/")[2].partition("?")[0]
    postgres.run(name, "CREATE SCHEMA mine")

    with open_server_desk(f"{url}&options=-csearch_path%3Dmine") as desk:
        fill_a_book(desk)
        assert check_ledger(desk.book.engine) == ()

    assert postgres.run(name, "SELECT COUNT(*) FROM mine.fills") == [(4,)]
    assert postgres.run(name, "SELECT COUNT(*) FROM public.fills") == [(0,)]


@pytest.mark.slow
def test_a_dump_of_a_book_is_restored_row_for_row(postgres: PostgresServer, tmp_path: Path):
    url, copied = postgres.new_book(), postgres.new_database()
    with open_server_desk(url) as desk:
        fill_a_book(desk)

    dump = str(tmp_path / "friday.dump")
    postgres.call("pg_dump", "--format=custom", f"--file={dump}", url)
    postgres.call("pg_restore", "--clean", "--if-exists", f"--dbname={copied}", dump)

    assert written(copied) == written(url)
    with StateManager.open(copied, clock=TurnedClock()) as book:
        assert check_ledger(book.engine) == ()


def test_a_failed_migration_leaves_the_server_as_it_was(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch):
    url = postgres.new_database()
    monkeypatch.setattr("trading_bot.state.upgrade._lay_first_rows", stumble)

    with pytest.raises(StateError, match="stumbled"):
        StateManager.open(url, clock=TurnedClock())

    name = url.partition("@/")[2].partition("?")[0]
    assert postgres.run(name, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'") == []


def stumble(*_: object) -> None:
    raise StateError("stumbled over the last step")


def test_a_book_on_a_server_opened_for_reading_cannot_be_written(postgres: PostgresServer):
    with open_read_only(postgres.new_book()) as book:
        assert book.ledger.portfolio().cash == 0
        with pytest.raises(StateError, match="read-only transaction"):
            book.control.forget_failures()


def test_there_is_no_book_in_an_empty_database(postgres: PostgresServer):
    with pytest.raises(StateError, match="There is no book at"):
        open_read_only(postgres.new_database())


def test_the_server_s_book_has_every_migration(postgres: PostgresServer):
    (found,) = postgres.run("template_book", "SELECT version_num FROM bensbot_version")

    assert found == (REVISIONS[-1],)


# ── one at a time ─────────────────────────────────────────────────────────────────────────────────


def test_a_writer_waits_for_the_one_before_and_then_gives_up(server_desk: ServerDesk):
    server_desk.begin()
    with server_desk.book._database.writing(), pytest.raises(StateBusy, match="locked by another process"):
        server_desk.decide(approved())

    assert server_desk.rows("SELECT * FROM decisions") == []
    server_desk.decide(approved())


def test_a_reader_sees_the_book_while_another_writes(server_desk: ServerDesk):
    with server_desk.book._database.writing():
        assert server_desk.book.ledger.portfolio().cash == 10_000


def test_what_many_count_at_once_is_counted_in_full(server_desk: ServerDesk):
    url = server_desk.book.engine.url.render_as_string(hide_password=False)

    def fail(number: int) -> int | None:
        with StateManager.open(url, clock=TurnedClock(), busy_timeout_seconds=30) as book:
            return book.control.record_failure(f"run-{number}", error="boom")

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(fail, range(8)))

    assert sorted(number for number in counts if number is not None) == [1, 2, 3, 4, 5, 6, 7, 8]


FIGHTER = """
import sys
from tests.unit.state.books import TurnedClock
from trading_bot.state import StateManager
with StateManager.open(sys.argv[1], clock=TurnedClock(), busy_timeout_seconds=30) as book:
    print("ready", flush=True)
    sys.stdin.readline()
    lease = book.control.acquire_lease(sys.argv[2], ttl_seconds=60)
    print("nothing" if lease is None else f"lease {lease.token}", flush=True)
"""


@pytest.mark.slow
def test_of_two_processes_that_want_the_lease_just_one_gets_it(postgres: PostgresServer):
    url = postgres.new_book()
    for round_ in range(1, 4):
        assert sorted(fight(url)) == [f"lease {round_}", "nothing"]
        with StateManager.open(url, clock=TurnedClock()) as book:
            lease = book.control.current_lease()
            assert lease is not None
            book.control.release_lease(lease)


def fight(url: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", FIGHTER, url]
    fighters = [
        subprocess.Popen([*command, name], stdin=pipe, stdout=pipe, text=True, env=environment) for name in ("a", "b")
    ]
    for fighter in fighters:
        assert fighter.stdout is not None
        assert fighter.stdout.readline() == "ready\n"
    for fighter in fighters:
        assert fighter.stdin is not None
        fighter.stdin.write("go\n")
        fighter.stdin.flush()
    return [fighter.communicate(timeout=300)[0].strip() for fighter in fighters]


# ── errors ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "error", "again"),
    [
        ("55P03", StateBusy, True),
        ("40001", StateBusy, True),
        ("40P01", StateBusy, True),
        ("57P01", StateBusy, True),
        ("57P03", StateBusy, True),
        ("53300", StateBusy, True),
        ("08006", StateBusy, True),
        ("25P03", StateBusy, True),
        ("53100", StateFull, False),
        ("XX001", StateCorrupt, False),
        ("42501", StateError, False),
        ("22012", StateError, False),
    ],
)
def test_the_server_s_errors_say_whether_to_try_again(
    server_desk: ServerDesk, code: str, error: type[StateError], again: bool
):
    with pytest.raises(StateError) as raised, server_desk.book._database.writing() as connection:
        connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'so be it' USING ERRCODE = '{code}'; END $$"))

    assert type(raised.value) is error
    assert raised.value.may_be_tried_again is again
    assert "so be it" in str(raised.value)


def test_a_connection_cut_by_the_server_is_replaced(postgres: PostgresServer, server_desk: ServerDesk):
    postgres.run("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'book_%'")

    assert server_desk.book.ledger.portfolio().cash == 10_000


def test_a_connection_cut_inside_a_write_leaves_nothing_and_may_be_tried_again(server_desk: ServerDesk):
    with pytest.raises(StateBusy, match="does not answer"):
        write(server_desk, "UPDATE control SET cause = 'half done'", "SELECT pg_terminate_backend(pg_backend_pid())")

    assert server_desk.book.control.read().cause == "new book"


def write(desk: ServerDesk, *statements: str) -> None:
    with desk.book._database.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.parametrize("host", ["127.0.0.1:1", "nobody.invalid"])
def test_a_server_that_is_not_there_may_be_tried_again(host: str):
    with pytest.raises(StateBusy, match="does not answer") as away:
        StateManager.open(f"postgresql://ben:hush-hush@{host}/book", clock=TurnedClock())

    assert "hush-hush" not in str(away.value)


@pytest.mark.parametrize("address", ["postgres@/nobody_made_this", "stranger@/postgres"])
def test_a_server_that_says_no_is_not_asked_again(postgres: PostgresServer, address: str):
    folder = postgres.url("postgres").partition("?")[2]

    with pytest.raises(StateError, match="does not exist") as refused:
        StateManager.open(f"postgresql://{address}?{folder}", clock=TurnedClock())

    assert refused.value.may_be_tried_again is False
    assert not isinstance(refused.value, StateBusy)


def test_other_people_s_settings_of_the_server_do_not_loosen_ours(postgres: PostgresServer):
    url = postgres.new_book()
    name = url.partition("@/")[2].partition("?")[0]
    postgres.run("postgres", f"ALTER DATABASE {name} SET synchronous_commit = off")
    postgres.run("postgres", f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")

    with open_server_desk(url) as desk, desk.book._database.writing() as connection:
        names = ("synchronous_commit", "transaction_isolation", "idle_in_transaction_session_timeout")
        settings = [connection.scalar(text(f"SHOW {name}")) for name in names]

    assert settings == ["local", "read committed", "1min"]


# ── power cuts ────────────────────────────────────────────────────────────────────────────────────


class CutOff:
    """The paper broker, whose neighbour, the server of the book, is killed at one of its calls."""

    def __init__(self, broker: Any, server: PostgresServer, *, after: bool) -> None:
        self._broker, self._server, self._after = broker, server, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def submit(self, intent: OrderIntent, *, at: Any) -> OrderUpdate:
        if not self._after:
            self._server.kill()
        answer = self._broker.submit(intent, at=at)
        if self._after:
            self._server.kill()
        return answer

    def find(self, order_id: ClientOrderId) -> OrderUpdate | None:
        return self._broker.find(order_id)


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A server of one test's own, that waits for the disk, and may be killed."""
    server = PostgresServer(waits_for_the_disk=True)
    yield server
    server.remove()


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before the order is there", "before its answer is written"])
def test_a_killed_server_costs_one_cycle_and_no_order(mortal: PostgresServer, tmp_path: Path, after: bool):
    url = mortal.new_book()
    with open_desk(tmp_path / "struck", state={"url": url}) as desk:
        struck = replace(desk.bot, broker=CutOff(desk.bot.broker, mortal, after=after))
        with pytest.raises(StateBusy) as cut:
            run_cycle(struck, run_id="struck")
        with pytest.raises(StateBusy, match="does not answer"):
            handle_failure(struck, run_id="struck", error=cut.value)

    mortal.start()
    later = WallClock()
    later.sleep(timedelta(minutes=10).total_seconds())  # lease and waiting time are over
    with open_desk(tmp_path / "struck", clock=later, state={"url": url}) as desk:
        trade(desk, 3)
        assert check_ledger(desk.bot.book.engine) == ()
        sent = [name for (name,) in desk.paper_rows("SELECT client_order_id FROM paper_orders")]
    with open_desk(tmp_path / "undisturbed") as desk:
        trade(desk, 3)

    assert len(sent) == len(set(sent)) > 0
    theirs, ours = written(url), written(f"sqlite:///{tmp_path / 'undisturbed' / 'bensbot.db'}")
    for table in ("fills", "positions", "decisions", "signals", "intents", "equity"):
        without_instants = [tuple(cell for cell in row if "+00:00" not in str(cell)) for row in theirs[table]]
        assert without_instants == [tuple(c for c in row if "+00:00" not in str(c)) for row in ours[table]], table
    assert [row[0] for row in theirs["failures"]] == ["cycle 20220103T210000Z was killed or its process died"]


class Restarting(WallClock):
    """While the loop waits, somebody starts the server again."""

    def __init__(self, server: PostgresServer) -> None:
        super().__init__()
        self._server = server

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if not self._server.is_alive:
            self._server.start()


class Struck(WatchedOrchestrator):
    """Its server is killed once, after the third session was decided; it stops by itself after the fifth."""

    def __init__(self, *args: Any, server: PostgresServer, **named: Any) -> None:
        self._server, self._decided = server, 0
        super().__init__(*args, **named)

    def apply_risk_checks(self, signals: tuple[Signal, ...]) -> tuple[Decision, ...]:
        decisions = super().apply_risk_checks(signals)
        self._decided += 1
        if self._decided == 3:
            self._server.kill()
        return decisions

    def send_status_updates(self) -> None:
        super().send_status_updates()
        self.should_stop = len(self.reports) == 5


@pytest.mark.slow
def test_the_loop_outlives_a_server_that_is_killed_and_started_again(mortal: PostgresServer, tmp_path: Path):
    url = mortal.new_book()
    settings = settings_in(tmp_path, state={"url": url})
    orchestrator = Struck(settings, clock=Restarting(mortal), server=mortal)

    orchestrator.run()

    assert [report.session.isoformat() for report in orchestrator.reports] == [
        "2022-01-03",
        "2022-01-04",
        "2022-01-05",
        "2022-01-06",
        "2022-01-07",
    ]
    with open_read_only(url) as book:
        assert check_ledger(book.engine) == ()
        assert book.control.read().consecutive_errors == 0
    assert len(written(url)["failures"]) == 1


def trade(desk: Desk, sessions: int) -> None:
    for number in range(sessions):
        run_cycle(desk.bot, run_id=f"run-{number}")
        desk.clock.sleep(60)
