"""What two runs must never do at once, whoever started them: a schedule, an event or a person."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger

from tasks.settings import load_settings


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Do `what` alone; where another run does it, wait for its end.

    The catalogue keeps the lock, so that commands and workers on several machines share it, and it
    is free at once when its holder is killed.
    """

    def say() -> None:
        get_run_logger().info("another run does this (%s): waiting for its end", what)

    with load_settings().catalog.alone(what, say):
        yield
