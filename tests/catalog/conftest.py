"""A catalogue of each kind: an SQLite file, and a database of a real PostgreSQL server."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest

from catalog import BlobStore, Catalog
from tests.catalog.rows import Bench

SERVER_USER = "postgres"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, without a database name."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    found = str(programs[-1]) if programs else shutil.which("pg_ctl")
    assert found, "PostgreSQL is not installed; `make test` installs it"
    # The server refuses to run as root, and `postgres` cannot enter root's directories.
    as_server = ["runuser", "-u", SERVER_USER, "--"] if os.geteuid() == 0 else []
    with TemporaryDirectory(dir="/tmp") as scratch:
        directory = Path(scratch)
        if as_server:
            shutil.chown(directory, SERVER_USER)
        data = directory / "data"
        options = f"-c listen_addresses= -c unix_socket_directories={directory} -c fsync=off"

        def control(*arguments: str) -> None:
            subprocess.run(
                [*as_server, found, "-D", str(data), *arguments], check=True, capture_output=True
            )

        control("init", "-o", f"-A trust -U {SERVER_USER} -E UTF8 --no-locale")
        control("start", "-w", "-l", str(directory / "log"), "-o", options)
        try:
            yield f"postgresql+psycopg://{SERVER_USER}@/{{name}}?host={directory}"
        finally:
            control("stop", "-m", "immediate")


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
