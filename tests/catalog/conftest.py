"""A catalogue of each kind: an SQLite file, and a database of a real PostgreSQL server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest

from catalog import BlobStore, Catalog
from tests.catalog.rows import Bench
from tests.postgresql import PostgreSQL


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, without a database name."""
    with TemporaryDirectory(dir="/tmp") as scratch:
        server = PostgreSQL(Path(scratch))
        server.start()
        try:
            yield server.url("{name}")
        finally:
            server.kill()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of another empty database, all of one kind."""

    def sqlite() -> str:
        return f"sqlite:///{tmp_path / uuid4().hex}.sqlite"

    def postgresql() -> str:
        template: str = request.getfixturevalue("postgres")
        name = f"groundtruth_{uuid4().hex}"
        plain = template.replace("+psycopg", "")
        with psycopg.connect(plain.format(name="postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return template.format(name=name)

    return {"sqlite": sqlite, "postgresql": postgresql}[request.param]


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return new_database()


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    opened = Catalog(database_url)
    yield opened
    opened.close()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path / 'blobs'}")


@pytest.fixture
def bench(catalog: Catalog, blobs: BlobStore) -> Bench:
    return Bench(catalog, blobs)
