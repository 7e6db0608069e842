"""Commands of `groundtruth` as processes that can be killed: warm ones, and runs of the worker.

Importing everything takes longer than most commands. A server process imports it once and forks a
child for each command; the child is the flow's process, and what is killed.
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx
import psutil

WARM = get_context("forkserver")
RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def warm_up(environment: Mapping[str, str]) -> None:
    """Start the process that commands are forked from, with `environment` added to its own."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        WARM.set_forkserver_preload(["tests.chaos.warm"])
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass(frozen=True)
class Command:
    """A command that runs from the command line."""

    process: ForkServerProcess

    @classmethod
    def start(
        cls, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> "Command":
        process = WARM.Process(target=_work, args=(list(arguments), dict(environment), str(log)))
        process.start()
        return cls(process)

    def ended(self, seconds: float) -> bool:
        """Wait at most so long; whether it has ended."""
        self.process.join(seconds)
        return self.process.exitcode is not None

    def succeeded(self) -> bool:
        return self.process.exitcode == 0

    def kill(self) -> bool:
        """Kill the process of the flow; whether it was still there."""
        running = self.process.exitcode is None
        self.process.kill()
        self.process.join()
        return running and self.process.exitcode != 0


@dataclass(frozen=True)
class WorkerRun:
    """A deployment that the worker runs."""

    api: str
    run_id: str

    @classmethod
    def start(
        cls,
        api: str,
        deployment: str,
        parameters: Mapping[str, object],
        environment: Mapping[str, str],
    ) -> "WorkerRun":
        """Have `deployment` ("flow/name") run; raises `httpx.HTTPError` where that is refused."""
        found = httpx.get(f"{api}/deployments/name/{deployment}", timeout=30).raise_for_status()
        run = httpx.post(
            f"{api}/deployments/{found.json()['id']}/create_flow_run",
            json={
                "parameters": dict(parameters),
                "job_variables": {"env": dict(environment)},
                "state": {"type": "SCHEDULED"},
            },
            timeout=30,
        )
        return cls(api, run.raise_for_status().json()["id"])

    def ended(self, seconds: float) -> bool:
        """Wait at most so long; whether it has ended, as Prefect says, and so has its process."""
        deadline = time.monotonic() + seconds
        while not self._has_ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.3)
        return True

    def succeeded(self) -> bool:
        return self._state() == "COMPLETED"

    def kill(self) -> bool:
        """Kill the processes of the flow; whether there were any."""
        processes = self._processes()
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, 10)
        return bool(processes)

    def _has_ended(self) -> bool:
        return self._state() in ENDED and not self._processes()

    def _state(self) -> str:
        try:
            found = httpx.get(f"{self.api}/flow_runs/{self.run_id}", timeout=10)
            return str(found.raise_for_status().json()["state"]["type"])
        except httpx.HTTPError:
            return "UNKNOWN"

    def _processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(RUN_VARIABLE) == self.run_id:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found


def _work(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """Be the command line, in a process of its own."""
    os.environ.update(environment)
    with Path(log).open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    print("$ groundtruth", *arguments, flush=True)
    sys.argv = ["groundtruth", *arguments]
    from deployments.cli import main

    main()
