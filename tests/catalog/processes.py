"""Processes that write to a catalogue and are killed, as the operating system kills them."""

import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

# Not forked from the tests' own process, which may have threads that hold locks for ever in a fork.
SERVED = get_context("forkserver")
SERVED.set_forkserver_preload(["catalog", "numpy", "pytest"])


class Clock:
    """Counts the calls that a process makes, so that a moment in its life has a number."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.calls = 0
        self._kill_at = kill_at

    def __enter__(self) -> "Clock":
        sys.setprofile(self._tick)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _tick(self, *_: Any) -> None:
        self.calls += 1
        if self.calls == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def run(work: Callable[..., object], *arguments: object) -> int:
    """Run `work` in a process of its own to its end; the exit status."""
    process = SERVED.Process(target=work, args=arguments)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode
