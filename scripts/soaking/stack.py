"""A real Prefect server and a real `deployments/serve.py` in a folder of their own, restarted when they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from scripts.soaking.machine import MARK, free_port, processes_of, runs_of, send, within
from scripts.soaking.plan import Plan

ROOT = Path(__file__).resolve().parents[2]
COMPANION = ROOT / "flows" / "companion.py"  # a server that dies with us
UP_WITHIN = 300.0  # seconds
PATIENCE = 60.0  # seconds in which a service that was asked to end has to
EVERY = 1.0  # seconds from one look at the services to the next
BETWEEN_RUNS, MOST_RUNS = 3.0, 2  # seconds, and living runs, where runs are asked for
RESTART_AFTER = 1.0  # seconds, as in a service unit
ENTRY_POINTS = "[bensbot.plugins]\nsoak = scripts.soaking.faulty\n"
SERVED = b"deployments are being served"  # how the runner says that it has begun to look for runs
METADATA = "Metadata-Version: 2.1\nName: bensbot-soak\nVersion: 1\n"


@dataclass
class Service:
    """One process that is started again when it ends. `lives` are spans of seconds since the epoch."""

    name: str
    command: list[str]
    log: IO[bytes]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    lives: list[tuple[float, float | None]] = field(default_factory=list)
    ended_by_itself: int = 0
    _ended_at: float = 0.0

    def start(self) -> None:
        """Start the process."""
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.lives.append((time.time(), None))

    @property
    def pid(self) -> int:
        """The process id of the present life, 0 when there is none."""
        return self.process.pid if self.process is not None and self.process.poll() is None else 0

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the present life; `watch` begins the next."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._note_end()

    def watch(self) -> None:
        """Start it again a second after it has ended."""
        if self.process is not None and self.process.poll() is not None:
            if self.lives[-1][1] is None:
                self.ended_by_itself += 1
                self._note_end()
            if time.time() - self._ended_at >= RESTART_AFTER:
                self.start()

    def _note_end(self) -> None:
        self._ended_at = time.time()
        self.lives[-1] = (self.lives[-1][0], self._ended_at)


class Stack:
    """The server, the runner, and the runs that the runner starts."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Write settings and plug-in into `folder`; nothing runs before `start`."""
        self.folder, self.plan = folder.resolve(), plan
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "config.json"
        self.config.write_text(json.dumps(plan.settings(self.folder)))
        self.port = free_port()
        self.password = f"soak:{os.urandom(8).hex()}"
        self.up: list[tuple[float, float]] = []  # spans in which the server answered and the runner looked for runs
        self._looked = self._asked = 0.0
        environment = self._environment()
        server = [sys.executable, "-P", str(COMPANION), str(os.getpid()), "server", "start"]
        server += ["--host", "127.0.0.1", "--port", str(self.port), "--no-ui"]
        self.server = Service("server", server, self._log("server"), environment)
        serve = [sys.executable, str(ROOT / "deployments" / "serve.py"), str(self.config)]
        self.serve = Service("serve", serve, self._log("serve"), environment)
        auth = tuple(self.password.split(":"))
        self.api = httpx.Client(base_url=self.address, auth=(auth[0], auth[1]), timeout=30.0, trust_env=False)

    @property
    def address(self) -> str:
        """The address of the server's API."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def state(self) -> Path:
        """The bot's folder."""
        return self.folder / "state"

    def start(self) -> None:
        """Start both and return when the deployments are there. Raises RuntimeError when they do not come."""
        self.server.start()
        if not within(UP_WITHIN, self.answers, pause=self._pause):
            raise RuntimeError(f"the server does not answer:\n{self.last_lines('server')}")
        self.serve.start()
        within(UP_WITHIN, lambda: self._deployed() or not self.serve.pid, pause=self._pause)
        if not self._deployed():
            raise RuntimeError(f"no deployment came:\n{self.last_lines('serve')}")

    def _deployed(self) -> bool:
        return bool(self.deployment("alarm"))  # the last one

    def watch(self) -> None:
        """Start again what has ended."""
        self.server.watch()
        if self.serve.process is not None:
            self.serve.watch()
        if time.time() - self._looked >= EVERY:
            self._look()
        if self.plan.on_demand and time.time() - self._asked >= BETWEEN_RUNS and len(runs_of(self.folder)) < MOST_RUNS:
            self._asked = time.time()
            self._ask_for_a_run()

    def _ask_for_a_run(self) -> None:
        """Start a run as a person would; one that nobody scheduled is never late, however slow the machine is."""
        with suppress(httpx.HTTPError):  # the server is being started
            if deployment := self.deployment():
                self.api.post(f"/deployments/{deployment['id']}/create_flow_run", json={})

    def _look(self) -> None:
        """Note whether both are up; a look that fails ends a span."""
        looked, self._looked = self._looked, time.time()
        if not (self.serve.pid and self._served() == len(self.serve.lives) and self.answers()):
            return
        if self.up and self.up[-1][1] == looked:
            self.up[-1] = (self.up[-1][0], self._looked)
        else:
            self.up.append((self._looked, self._looked))

    def was_halted(self, since: float) -> None:
        """Note that no ticks were planned from an instant until now: a halt pauses the deployment."""
        self.up = [(begin, min(end, since)) for begin, end in self.up if begin < since]
        self._looked = 0.0

    def _served(self) -> int:
        return (self.folder / "serve.log").read_bytes().count(SERVED)

    def pause(self, seconds: float) -> None:
        """Sleep, and look after the services meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
            self.watch()

    def until(self, seconds: float, true: Callable[[], bool]) -> bool:
        """Wait until something is true, and look after the services meanwhile."""
        return within(seconds, true, pause=self.pause)

    def answers(self) -> bool:
        """Say whether the server answers."""
        try:
            return self.api.get("/health", timeout=2.0).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        """Post to the API and return the answer; asked again while the server starts."""
        for _ in range(30):
            try:
                answer = self.api.post(path, json=body)
                answer.raise_for_status()
                return answer.json() if answer.content else None
            except httpx.HTTPError:
                self.pause(1.0)
        raise RuntimeError(f"the server gives no answer to {path}: {self.last_lines('server')}")

    def deployment(self, flow: str = "trading-cycle") -> dict[str, Any]:
        """Return the deployment of a flow, an empty dict before there is one."""
        try:
            answer = self.api.get(f"/deployments/name/{flow}/bensbot")
        except httpx.HTTPError:
            return {}
        return answer.json() if answer.status_code == httpx.codes.OK else {}

    def hold_the_schedule(self) -> None:
        """Pause the trading deployment: no further tick comes."""
        self.ask(f"/deployments/{self.deployment()['id']}/pause_deployment", {})

    def stop(self) -> None:
        """End everything this soak has started, orphans too."""
        self.serve.kill(signal.SIGTERM)
        self.server.kill(signal.SIGTERM)
        for pid in processes_of(self.folder):
            if pid != os.getpid():
                send(pid, signal.SIGCONT)
                send(pid, signal.SIGKILL)
        for open_file in (self.server.log, self.serve.log, self.api):
            open_file.close()

    def was_up(self, since: float, until: float) -> bool:
        """Say whether both services were up all the time from one instant to another, in seconds since the epoch."""
        return any(begin <= since and until <= end for begin, end in self.up)

    def last_lines(self, name: str, count: int = 15) -> str:
        """Return the end of a service's log."""
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-count:])

    def _pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def _log(self, name: str) -> IO[bytes]:
        return (self.folder / f"{name}.log").open("ab")

    def _environment(self) -> dict[str, str]:
        plugins = self.folder / "plugins"
        information = plugins / "bensbot_soak-1.dist-info"
        information.mkdir(parents=True, exist_ok=True)
        (information / "METADATA").write_text(METADATA)
        (information / "entry_points.txt").write_text(ENTRY_POINTS)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BENSBOT_"))}
        return kept | {
            MARK: str(self.folder),
            "SOAK_SEED": str(self.plan.seed),
            "SOAK_SOFT_FAULTS": str(self.plan.soft_faults),
            "PYTHONPATH": os.pathsep.join((str(plugins), str(ROOT))),
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "DO_NOT_TRACK": "1",
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": self.address,
            "PREFECT_API_AUTH_STRING": self.password,
            "PREFECT_SERVER_API_AUTH_STRING": self.password,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
            "PREFECT_CLI_COLORS": "false",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(self.plan.heartbeat),
        }
