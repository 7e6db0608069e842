"""A PostgreSQL server of a benchmark's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgresql import PostgreSQL

MEMORY = "-c shared_buffers=1GB -c maintenance_work_mem=512MB -c max_wal_size=8GB"


@contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server of our own that keeps its data below `directory`."""
    server = PostgreSQL(directory, options=MEMORY)
    server.start()
    try:
        yield server.url("postgres")
    finally:
        server.stop()
