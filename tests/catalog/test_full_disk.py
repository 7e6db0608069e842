"""A full disk is said to be full, nothing is half-written, and with room the same work is done."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import func, select, text

from catalog import BlobStore, Catalog, images
from catalog.backup import backup
from catalog.errors import DiskFull
from catalog.schema import SetAside
from tests.catalog.rows import Bench
from tests.postgresql import USER as SERVER_USER

SMALL, LARGE = 16_000_000, 200_000_000
# More than fits, in words that no database can make smaller.
REASONS = [(f"{n}.jpg", Random(n).randbytes(20_000).hex()) for n in range(500)]


@dataclass
class SmallDisk:
    """A folder with little room: a file system of its own, or a limit to the size of each file."""

    folder: Path
    mounted: bool

    def widen(self) -> None:
        if self.mounted:
            mount("-o", f"remount,size={LARGE}", str(self.folder))
        else:
            limit_files(resource.getrlimit(resource.RLIMIT_FSIZE)[1])


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


def limit_files(n_bytes: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    # Where the user that PostgreSQL runs as can go, too.
    folder = Path(mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    mounted = mount("-t", "tmpfs", "-o", f"size={SMALL}", "groundtruth", str(folder))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if not mounted:
        limit_files(SMALL // 4)
    try:
        yield SmallDisk(folder, mounted)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(folder)


def test_a_blob_that_finds_no_room_is_not_there_and_the_others_are(small_disk: SmallDisk) -> None:
    blobs = BlobStore(f"file://{small_disk.folder / 'blobs'}")
    content = bytes(SMALL + 1_000_000)
    with pytest.raises(DiskFull, match=f"no room left at {small_disk.folder}/blobs/.*make room"):
        blobs.put("large", content)
    assert not blobs.exists("large")
    assert list(blobs.every_key()) == []
    assert not list(small_disk.folder.rglob("*.partial"))
    blobs.put("small", b"still fits")
    small_disk.widen()
    blobs.put("large", content)
    assert {key: len(blobs.get(key)) for key in blobs.every_key()} == {
        "large": len(content),
        "small": 10,
    }


def write_until_it_is_done(catalog: Catalog, small_disk: SmallDisk, place: str) -> None:
    def write(reasons: list[tuple[str, str]]) -> None:
        with catalog.begin() as transaction:
            images.set_aside(transaction, reasons)

    def n_written() -> int:
        with catalog.read() as transaction:
            return transaction.scalar(select(func.count()).select_from(SetAside)) or 0

    write([("before.jpg", "damaged")])
    with pytest.raises(DiskFull, match=f"no room left at {place}.*make room"):
        write(REASONS)
    assert n_written() == 1
    small_disk.widen()
    write(REASONS)
    assert n_written() == 1 + len(REASONS)
    catalog.close()


def test_an_sqlite_catalogue_on_a_full_disk(small_disk: SmallDisk) -> None:
    url = f"sqlite:///{small_disk.folder / 'catalogue.sqlite'}"
    write_until_it_is_done(Catalog(url), small_disk, url)


def test_a_postgresql_catalogue_on_a_full_disk(small_disk: SmallDisk, postgres: str) -> None:
    if not small_disk.mounted:
        pytest.skip("PostgreSQL's own disk cannot be made small where nothing may be mounted")
    name = f"small_{uuid4().hex}"
    place = small_disk.folder / "postgresql"
    place.mkdir()
    shutil.chown(place, SERVER_USER)
    with psycopg.connect(
        postgres.replace("+psycopg", "").format(name="postgres"), autocommit=True
    ) as connection:
        connection.execute(f"CREATE TABLESPACE {name} LOCATION '{place}'")
        connection.execute(f"CREATE DATABASE {name} TABLESPACE {name}")
        try:
            write_until_it_is_done(Catalog(postgres.format(name=name)), small_disk, "postgresql.*")
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            connection.execute(f"DROP TABLESPACE {name}")


def test_what_postgresql_says_of_a_full_disk_is_understood(postgres: str) -> None:
    catalog = Catalog(postgres.format(name="postgres"))
    with (
        pytest.raises(DiskFull, match="no room left at postgresql"),
        catalog.begin() as transaction,
    ):
        transaction.execute(text("DO $$ BEGIN RAISE disk_full; END $$"))
    catalog.close()


def test_a_backup_onto_a_full_disk_leaves_the_one_before_it(
    small_disk: SmallDisk, bench: Bench
) -> None:
    bench.ingest("before")
    place = str(small_disk.folder / "backup")
    first = backup(bench.catalog, bench.blobs, place)
    bench.blobs.put("large", bytes(SMALL))
    with pytest.raises(DiskFull, match="make room"):
        backup(bench.catalog, bench.blobs, place)
    assert len(list(BlobStore(place).every_key("manifests"))) == 1
    small_disk.widen()
    second = backup(bench.catalog, bench.blobs, place)
    assert (first.manifest.n_blobs, second.manifest.n_blobs, second.n_copied) == (1, 2, 1)
