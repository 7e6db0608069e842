"""Checks side by side: one that fails or hangs is told like what it looks for, and stops no other.

A check looks and changes nothing, and yields what it found.
"""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tasks.redaction import redacted
from tasks.settings import Settings


class CannotTell(RuntimeError):
    """What is looked at needs something that another check looks at, and that is not well."""


class Level(StrEnum):
    """`ERROR`: the loop stands or is about to; `WARNING`: look into it before it does."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """What was found: what it means, and exactly what to do, which is nothing where it is well."""

    level: Level
    says: str
    do: str = ""


@dataclass(frozen=True)
class Check:
    """What is looked at, by `look`, which has `patience_seconds`."""

    name: str
    look: Callable[[Settings], Iterable[Finding]]
    patience_seconds: float = 60.0


@dataclass(frozen=True)
class Examined:
    """A check and all that it found."""

    check: str
    findings: tuple[Finding, ...]


def well(says: str) -> Finding:
    return Finding(Level.OK, says)


def warning(says: str, do: str) -> Finding:
    return Finding(Level.WARNING, says, do)


def error(says: str, do: str) -> Finding:
    return Finding(Level.ERROR, says, do)


def examine(checks: Sequence[Check], settings: Settings) -> Iterator[Examined]:
    """Begin all checks at once; what each found, in their order, without secrets."""
    begun = [(check, time.monotonic(), _begin(check, settings)) for check in checks]
    for check, began, answer in begun:
        left = began + check.patience_seconds - time.monotonic()
        try:
            found = answer.get(timeout=max(left, 0.01))
        except queue.Empty:
            found = (
                error(
                    f"no answer within {check.patience_seconds:.0f} s",
                    "see whether what is checked answers at all (its log, the network, the load of"
                    " the machine), and run `groundtruth doctor` again",
                ),
            )
        yield Examined(
            check.name,
            tuple(Finding(each.level, redacted(each.says), redacted(each.do)) for each in found),
        )


def _begin(check: Check, settings: Settings) -> "queue.Queue[tuple[Finding, ...]]":
    """Look in a thread that nobody waits for when the command ends."""
    answer: queue.Queue[tuple[Finding, ...]] = queue.Queue()

    def look() -> None:
        try:
            found = tuple(check.look(settings))
        except CannotTell as problem:
            found = (warning(f"not looked at: {problem}", "mend that first"),)
        except Exception as problem:
            found = (
                error(
                    f"could not be checked: {type(problem).__name__}: {problem}",
                    "mend what the message names; where another check names the same, begin there",
                ),
            )
        answer.put(found)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(look,), name=check.name, daemon=True).start()
    return answer
