"""Prefect's command line, whose server on SQLite does not stand still when a statement fails.

Run as ``python -m deployments.prefect_on_sqlite server start`` instead of ``prefect server start``.

SQLAlchemy leaves the cursor of a statement that failed ("database is locked", which Prefect's
clients repeat) to the garbage collector. That runs in the server's event loop and, to reset the
cursor, waits for its connection. If that waits for the lock of the database by then, and the
holder of the lock for the event loop, then nothing moves until SQLite gives up, after a minute.
"""

from collections.abc import Callable
from typing import Any

import aiosqlite.core
from prefect.cli import app


class Cursor(aiosqlite.Cursor):
    """A cursor that is closed in its connection's own thread, at once, when a statement fails."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._execute(fn, *args, **kwargs)
        except Exception:
            if fn != self._cursor.close:
                await super()._execute(self._cursor.close)
            raise


def close_failed_cursors() -> None:
    """Have every connection of this process that aiosqlite makes give out such cursors."""
    aiosqlite.core.Cursor = Cursor  # type: ignore[misc]


if __name__ == "__main__":
    close_failed_cursors()
    app()
