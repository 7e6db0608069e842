"""The catalogue and its blobs kept a second time, and brought back.

A backup is a blob store of its own, on any file system that fsspec knows. Nothing in it is ever
overwritten, so a backup that is killed harms none before it, and the next one copies only what is
new::

    catalogue/<SHA-256>.sqlite or .dump   the database at one moment
    blobs/<key>                           every blob but copies of the database's own rows
    lists/<SHA-256>.parquet               key, size and SHA-256 of the blobs that one backup added
    manifests/<time>.json                 what belongs together; written last

The database is copied first and the blobs after it: a blob is there before a row speaks of it.
"""

import datetime as dt
import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg.conninfo import make_conninfo
from pydantic import BaseModel
from sqlalchemy import create_engine, func, inspect, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from catalog.blobs import PAGES, SCRATCH, BlobStore, write_whole
from catalog.database import SQLITE_FULL, Catalog, chunks
from catalog.errors import BackupError, DiskFull
from catalog.fingerprint import Fingerprint, fingerprint_as_found
from catalog.identity import content_digest
from catalog.performance_copies import COPIES

SUFFIX = {"sqlite": "sqlite", "postgresql": "dump"}
BLOBS_PER_LIST = 10_000
COPIES_AT_ONCE = 8
MANIFEST = "%Y%m%dT%H%M%S.%fZ.json"
ANOTHER = "restore from a copy of it, or from another backup"


class Manifest(BaseModel, extra="forbid", frozen=True):
    """What belongs together: a database and all blobs that it speaks of."""

    taken_at: dt.datetime
    database: str
    catalogue: str
    tables: dict[str, tuple[int, str]]
    lists: list[str]
    n_blobs: int
    n_bytes: int


@dataclass(frozen=True)
class Copied:
    """A backup or a restore that is done, and how many blobs it copied."""

    manifest: Manifest
    n_copied: int


def backup(catalog: Catalog, blobs: BlobStore, to: str) -> Copied:
    """Add what the catalogue and the blob store hold now to the backup at `to`.

    Raises `BackupError` where that cannot be, and `DiskFull` where there is no room.
    """
    target = BlobStore(to)
    if f"{target.address}/".startswith(f"{blobs.address}/"):
        raise BackupError(f"{to} lies in the blob store itself: name a place outside {blobs.url}")
    with TemporaryDirectory() as scratch:
        snapshot = Path(scratch, "catalogue")
        tables = _take(catalog, snapshot)
        kept = f"catalogue/{_file_digest(snapshot)}.{SUFFIX[_kind(catalog.url)]}"
        target.put_file(kept, snapshot)
    listed = {key: _read_list(target, key) for key in target.every_key("lists")}
    known = {key for rows in listed.values() for key in rows["key"].to_pylist()}
    n_known, n_bytes = len(known), sum(sum(rows["n_bytes"].to_pylist()) for rows in listed.values())
    lists = list(listed)
    new = [
        key
        for key in blobs.every_key()
        if key not in known and not key.startswith((f"{COPIES}/", f"{PAGES}/", f"{SCRATCH}/"))
    ]
    for part in chunks(new, BLOBS_PER_LIST):
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            copied = list(pool.map(lambda key: _copy(blobs, target, key), part))
        columns = pa.table(
            {name: [row[name] for row in copied] for name in ("key", "n_bytes", "sha256")}
        )
        buffer = BytesIO()
        pq.write_table(columns, buffer)
        lists.append(f"lists/{content_digest(buffer.getvalue())}.parquet")
        target.put(lists[-1], buffer.getvalue())
        n_bytes += sum(row["n_bytes"] for row in copied)
    taken_at = dt.datetime.now(dt.UTC)
    manifest = Manifest(
        taken_at=taken_at,
        database=_kind(catalog.url),
        catalogue=kept,
        tables={each.table: (each.n_rows, each.digest) for each in tables},
        lists=sorted(lists),
        n_blobs=n_known + len(new),
        n_bytes=n_bytes,
    )
    target.put(
        f"manifests/{taken_at.strftime(MANIFEST)}", manifest.model_dump_json(indent=1).encode()
    )
    return Copied(manifest, len(new))


def newest(place: str) -> dt.datetime:
    """When the newest backup at `place` was taken; raises `BackupError` where there is none."""
    name = PurePosixPath(_newest_manifest(BlobStore(place))).name
    return dt.datetime.strptime(name, MANIFEST).replace(tzinfo=dt.UTC)


def restore(source: str, catalogue_url: str, blobs: BlobStore) -> Copied:
    """Bring the newest backup at `source` back into an empty database and a blob store.

    Everything is checked against its digest. The database comes last and at once, so that a restore
    that was killed is not taken for a whole one, and goes on when it is run again. Raises
    `BackupError` where the backup is missing or damaged, or the database holds anything.
    """
    stored = BlobStore(source)
    manifest = Manifest.model_validate_json(stored.get(_newest_manifest(stored)))
    kind, place = _kind(catalogue_url), make_url(catalogue_url).render_as_string()
    if kind != manifest.database:
        raise BackupError(
            f"the backup at {source} is one of {manifest.database}, and `catalogue` in"
            f" groundtruth.toml names {kind}: restore it into {manifest.database}"
        )
    if full := _tables_with_rows(catalogue_url):
        raise BackupError(
            f"{place} is not empty (there are rows in {', '.join(full)}), and nothing is"
            " overwritten: name an empty database as `catalogue` in groundtruth.toml, or move this"
            " one away"
        )
    n_copied = 0
    for key in manifest.lists:
        rows = _read_list(stored, key)
        pairs = list(zip(rows["key"].to_pylist(), rows["sha256"].to_pylist(), strict=True))
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            n_copied += sum(pool.map(lambda pair: _bring_back(stored, blobs, pair), pairs))
    with TemporaryDirectory() as scratch:
        snapshot = Path(scratch, "catalogue")
        with _said_of(stored, manifest.catalogue):
            stored.get_file(manifest.catalogue, snapshot)
        _check(stored, manifest.catalogue, _file_digest(snapshot), Path(manifest.catalogue).stem)
        if kind == "sqlite":
            _check_tables(f"sqlite:///{snapshot}", manifest, source)
            target = Path(make_url(catalogue_url).database or "").absolute()
            with snapshot.open("rb") as whole:
                write_whole(str(target), lambda file: shutil.copyfileobj(whole, file))
        else:
            _run_postgresql(
                catalogue_url,
                "pg_restore",
                *("--clean", "--if-exists", "--no-owner", "--no-privileges"),
                *("--single-transaction", str(snapshot)),
            )
            _check_tables(catalogue_url, manifest, source)
    Catalog(catalogue_url).close()
    return Copied(manifest, n_copied)


def _kind(url: str) -> str:
    return make_url(url).get_backend_name()


def _take(catalog: Catalog, snapshot: Path) -> list[Fingerprint]:
    """Copy the database as it is at one moment to `snapshot`; what its tables hold."""
    if _kind(catalog.url) == "sqlite":
        with (
            closing(sqlite3.connect(make_url(catalog.url).database or "")) as source,
            closing(sqlite3.connect(snapshot)) as target,
        ):
            try:
                source.backup(target)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname in SQLITE_FULL:
                    raise DiskFull(str(snapshot)) from error
                raise
        return _tables_of(f"sqlite:///{snapshot}")
    with catalog.read() as transaction:
        moment = str(transaction.scalar(select(func.pg_export_snapshot())))
        _run_postgresql(
            catalog.url,
            "pg_dump",
            *("--format=custom", "--no-owner", "--no-privileges"),
            *(f"--snapshot={moment}", f"--file={snapshot}"),
        )
        return fingerprint_as_found(transaction)


def _tables_of(url: str) -> list[Fingerprint]:
    engine = create_engine(url)
    with Session(engine) as session:
        found = fingerprint_as_found(session)
    engine.dispose()
    return found


def _newest_manifest(stored: BlobStore) -> str:
    manifests = sorted(stored.every_key("manifests"))
    if not manifests:
        raise BackupError(
            f"there is no backup at {stored.url}: name the folder or the URL that was given to"
            " `groundtruth backup`"
        )
    return manifests[-1]


def _tables_with_rows(url: str) -> list[str]:
    """The tables at `url` that hold anything; none where there is no database file."""
    database = make_url(url).database
    if _kind(url) == "sqlite" and not Path(database or "").exists():
        return []
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [
            name
            for name in sorted(inspect(connection).get_table_names())
            if name != "alembic_version"
            and connection.execute(select(1).select_from(table(name)).limit(1)).first()
        ]
    engine.dispose()
    return found


def _run_postgresql(url: str, program: str, *arguments: str) -> None:
    """Run a client program of PostgreSQL on the database at `url`; its password is not shown."""
    parsed = make_url(url)
    named = parsed.translate_connect_args(username="user", database="dbname")
    parameters: dict[str, Any] = {**named, **parsed.query}
    password = parameters.pop("password", None)
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    command = [program, f"--dbname={make_conninfo(**parameters)}", "--no-password", *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise BackupError(
            f"{program} is not installed here: install the client programs of PostgreSQL, of the"
            " server's version or newer (on Debian: apt-get install postgresql-client)"
        ) from error
    if "No space left on device" in done.stderr:
        raise DiskFull(parsed.render_as_string())
    if done.returncode:
        raise BackupError(f"{program} on {parsed.render_as_string()} failed: {done.stderr}")


def _read_list(store: BlobStore, key: str) -> pa.Table:
    with _said_of(store, key):
        content = store.get(key)
    _check(store, key, content_digest(content), Path(key).stem)
    return pq.read_table(BytesIO(content))


def _copy(blobs: BlobStore, target: BlobStore, key: str) -> dict[str, Any]:
    content = blobs.get(key)
    target.put(f"blobs/{key}", content)
    return {"key": key, "n_bytes": len(content), "sha256": content_digest(content)}


def _bring_back(stored: BlobStore, blobs: BlobStore, pair: tuple[str, str]) -> bool:
    """Put one blob back, given its key and SHA-256; whether it was not there."""
    key, sha256 = pair
    if blobs.exists(key):
        return False
    with _said_of(stored, key):
        content = stored.get(f"blobs/{key}")
    _check(stored, f"blobs/{key}", content_digest(content), sha256)
    blobs.put(key, content)
    return True


def _file_digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def _said_of(store: BlobStore, key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BackupError(f"{key} is missing from the backup at {store.url}: {ANOTHER}") from error


def _check(store: BlobStore, key: str, found: str, expected: str) -> None:
    if found != expected:
        raise BackupError(f"{key} in the backup at {store.url} is damaged: {ANOTHER}")


def _check_tables(url: str, manifest: Manifest, source: str) -> None:
    found = {each.table: (each.n_rows, each.digest) for each in _tables_of(url)}
    differing = sorted(name for name in manifest.tables if found.get(name) != manifest.tables[name])
    if differing:
        raise BackupError(
            f"what came back from {source} differs from what was kept in {', '.join(differing)}:"
            f" {ANOTHER}"
        )
