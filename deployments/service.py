"""A server of the local stack: one detached process, known by pid *and* start time, that leaves no
descendant behind when it is stopped."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx
import psutil

# The variable by which everything that a server starts is recognised as its own.
MARK = "GROUNDTRUTH_SERVER"
# Start times are counted from the boot time, which moves a little when the clock is adjusted.
CLOCK_JITTER_SECONDS = 2.0
LARGEST_LOG = 20_000_000
"""A log that is larger, in bytes, is set aside when its server starts."""
LOGS_KEPT = 3
BLOCK = 65_536


class StackError(RuntimeError):
    """The local stack cannot do what was asked; the message says why and how to mend it."""


@dataclass(frozen=True)
class Service:
    """One server: how it is started, where it listens, and when it is ready.

    ``is_ready`` is asked only while the process lives; ``port_setting`` names what to change in
    the settings when ``port`` is taken. A server without a port (the worker) has neither.
    """

    name: str
    command: Sequence[str]
    environment: Callable[[], Mapping[str, str]]
    folder: Path
    is_ready: Callable[[], bool]
    working_directory: Path
    port: int | None = None
    port_setting: str = ""
    start_seconds: float = 300.0
    grace_seconds: float = 15.0

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def process(self) -> psutil.Process | None:
        """The running process, or None; a recycled pid is never taken for ours."""
        with suppress(FileNotFoundError, ValueError, psutil.Error):
            pid, started = self.pid_file.read_text().split()
            process = psutil.Process(int(pid))
            same = abs(process.create_time() - float(started)) < CLOCK_JITTER_SECONDS
            if same and _lives(process):
                return process
        return None

    def is_healthy(self) -> bool:
        """Whether *our* process lives, owns its port and answers."""
        return self.process() is not None and self._owns_port() and self.is_ready()

    def make_way(self) -> None:
        """End what an earlier process of this server left behind, and see that its port is free.

        Raises `StackError` when another program listens on the port.
        """
        self._end(self._family())
        if self.port is None:
            return
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise StackError(
                    f"{self.name} cannot use port {self.port}: another program listens there. "
                    f"End that program, or set another port as {self.port_setting} in the settings."
                ) from error

    def start(self) -> None:
        """Start the server unless it runs; raises `StackError` when its port is taken."""
        if self.process() is None:
            self.make_way()
            self._spawn()

    def wait_until_ready(self) -> None:
        """Return once the server is healthy; raises `StackError` when it dies or takes too long."""
        deadline = time.monotonic() + self.start_seconds
        while not self.is_healthy():
            if self.process() is None:
                raise StackError(f"{self.name} ended while it was starting. {self._last_words()}")
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self.name} is not ready after {self.start_seconds:.0f} s. "
                    f"{self._last_words()}"
                )
            time.sleep(0.2)

    def stop(self) -> None:
        """Ask the server to end, then make it; whatever it started ends with it."""
        process = self.process()
        if process is not None:
            process.send_signal(signal.SIGTERM)
            with suppress(psutil.TimeoutExpired):
                process.wait(self.grace_seconds)
        self._end(self._family())
        self.pid_file.unlink(missing_ok=True)

    def tail(self, lines: int = 30) -> str:
        """The last lines of the log, read from its end."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            start, end = log.seek(0, os.SEEK_END), b""
            while start > 0 and end.count(b"\n") <= lines:
                size = min(BLOCK, start)
                start = log.seek(start - size)
                end = log.read(size) + end
        return "\n".join(end.decode(errors="replace").splitlines()[-lines:])

    def _spawn(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._set_log_aside()
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                self.command,
                cwd=self.working_directory,
                env={**self.environment(), MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_default_interrupt,
            )
        started = psutil.Process(child.pid).create_time()
        self.pid_file.write_text(f"{child.pid} {started!r}\n")

    def _set_log_aside(self) -> None:
        """Begin another log where the last is large; of those before it a few are kept."""
        if not self.log.exists() or self.log.stat().st_size <= LARGEST_LOG:
            return
        aside = [self.log, *(Path(f"{self.log}.{n}") for n in range(1, LOGS_KEPT + 1))]
        for newer, older in reversed([*pairwise(aside)]):
            if newer.exists():
                newer.replace(older)

    def _last_words(self) -> str:
        return f"The end of {self.log}:\n{self.tail()}"

    def _owns_port(self) -> bool:
        return self.port is None or any(
            self.port in _listening_ports(process) for process in self._family()
        )

    @property
    def _mark(self) -> str:
        return str(self.pid_file)

    def _family(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._is_marked(process)]

    def _is_marked(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error, OSError):
            return process.environ().get(MARK) == self._mark and _lives(process)
        return False

    def _end(self, family: Sequence[psutil.Process]) -> None:
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, stubborn = psutil.wait_procs(family, self.grace_seconds)
        for process in stubborn:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(stubborn, self.grace_seconds)


def answers(address: str) -> bool:
    """Whether a server at `address` answers, and well."""
    with suppress(httpx.HTTPError):
        return httpx.get(address, timeout=5, follow_redirects=True).is_success
    return False


def _listening_ports(process: psutil.Process) -> set[int]:
    with suppress(psutil.Error):
        return {
            connection.laddr.port
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
    return set()


def _lives(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def _default_interrupt() -> None:
    """A server that inherits an ignored SIGINT would ignore SIGTERM as well."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
