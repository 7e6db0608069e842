"""A statement that failed on SQLite does not hold up the ones after it."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import aiosqlite.core
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deployments.prefect_on_sqlite import close_failed_cursors

WRITE = text("UPDATE counted SET n = n + 1")
READ = text("SELECT n FROM counted")
# So long does SQLite wait for the lock, in seconds: Prefect's server has it wait for a minute.
PATIENCE = 5


@pytest.fixture(autouse=True)
def closed_when_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiosqlite.core, "Cursor", aiosqlite.core.Cursor)
    close_failed_cursors()


@pytest.fixture(autouse=True)
def garbage_stays_until_it_is_asked_for() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_collecting_the_garbage_of_a_failed_statement_waits_for_no_other(tmp_path: Path) -> None:
    assert asyncio.run(written_while_garbage_is_collected(tmp_path / "prefect.db")) == 3


async def written_while_garbage_is_collected(file: Path) -> int:
    """The count after two writes of another's and one of ours that had to wait."""
    ours = on_one_connection(file)
    other = on_one_connection(file)
    async with ours.connect() as connection:
        await connection.execute(text("PRAGMA journal_mode = WAL"))
        await connection.execute(text("CREATE TABLE counted AS SELECT 0 AS n"))
        await connection.commit()

    await fail_to_write(ours, other)
    async with other.connect() as holder:
        await holder.execute(WRITE)
        waiting = asyncio.create_task(write(ours))
        await asyncio.sleep(PATIENCE / 10)
        gc.collect()
        await holder.commit()
    await waiting

    async with ours.connect() as connection:
        count = await connection.scalar(READ)
    await ours.dispose()
    await other.dispose()
    return int(count)


def on_one_connection(file: Path) -> AsyncEngine:
    return create_async_engine(
        f"sqlite+aiosqlite:///{file}",
        pool_size=1,
        max_overflow=0,
        connect_args={"timeout": PATIENCE},
    )


async def write(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(WRITE)


async def fail_to_write(engine: AsyncEngine, other: AsyncEngine) -> None:
    """Read, let another write, and write: what was read is old then, and SQLite refuses at once."""
    async with engine.connect() as connection:
        await connection.execute(text("BEGIN"))
        await connection.execute(READ)
        await write(other)
        with pytest.raises(OperationalError, match="database is locked"):
            await connection.execute(WRITE)
