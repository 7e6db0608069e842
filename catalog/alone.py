"""One at a time for as long as it takes, whichever process or machine asks.

Unlike a lease, which a killed holder keeps until it runs out, the lock goes with its holder: the
kernel frees the lock on a file, and PostgreSQL that of a session, when the process ends.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, func, select

from catalog.identity import digest

PAUSE_SECONDS = 0.5
# How soon PostgreSQL notices that the machine of a holder is gone, if nobody closed the connection.
KEEPALIVE = {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}


@contextmanager
def alone(engine: Engine, what: str, on_wait: Callable[[], object]) -> Iterator[None]:
    """Hold `what` in this block; `on_wait` is called once where somebody else holds it."""
    held = _in_session if engine.dialect.name == "postgresql" else _in_file
    with held(engine, what) as try_it:
        if not try_it():
            on_wait()
            while not try_it():
                time.sleep(PAUSE_SECONDS)
        yield


@contextmanager
def _in_file(engine: Engine, what: str) -> Iterator[Callable[[], bool]]:
    database = engine.url.database
    assert database, "a catalogue in memory has one process, and nobody to wait for"
    with Path(f"{database}.{what}.lock").open("w") as file:

        def try_it() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        yield try_it


@contextmanager
def _in_session(engine: Engine, what: str) -> Iterator[Callable[[], bool]]:
    number = int(digest("alone", what)[:15], 16)
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        for name, value in KEEPALIVE.items():
            connection.exec_driver_sql(f"SET {name} = {value}")
        yield lambda: bool(connection.scalar(select(func.pg_try_advisory_lock(number))))
    finally:
        # Not back into the pool: the lock and the settings end with the session.
        connection.invalidate()
        connection.close()
