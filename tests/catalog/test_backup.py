"""A backup brings back what was kept, and says so where it cannot."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from catalog import BlobStore, Catalog, images, performance_copies
from catalog.backup import backup, restore
from catalog.errors import BackupError
from catalog.fingerprint import Fingerprint, fingerprint
from catalog.schema import DecisionKind, now
from tests.catalog.rows import Bench


def content(catalog: Catalog) -> list[Fingerprint]:
    with catalog.read() as transaction:
        return fingerprint(transaction)


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "backup")


@pytest.fixture
def spare(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path / 'spare blobs'}")


@pytest.fixture
def full(bench: Bench) -> Bench:
    """A catalogue with something in it, and blobs."""
    shown = bench.ingest("a", "b")
    bench.decide(bench.ask(shown), DecisionKind.SAME, kept=shown)
    return bench


def test_what_is_restored_is_what_was_kept(
    full: Bench, new_database: Callable[[], str], place: str, spare: BlobStore
) -> None:
    backup(full.catalog, full.blobs, place)
    before = content(full.catalog)
    url = new_database()
    restore(place, url, spare)
    assert content(Catalog(url)) == before
    kept = {key: full.blobs.get(key) for key in full.blobs.every_key()}
    assert kept
    assert {key: spare.get(key) for key in spare.every_key()} == kept


def test_a_second_backup_copies_only_what_is_new(
    full: Bench, new_database: Callable[[], str], place: str, spare: BlobStore
) -> None:
    n_blobs = len(list(full.blobs.every_key()))
    assert backup(full.catalog, full.blobs, place).n_copied == n_blobs
    full.ingest("c")
    assert backup(full.catalog, full.blobs, place).n_copied == 1
    url = new_database()
    assert restore(place, url, spare).n_copied == n_blobs + 1
    assert content(Catalog(url)) == content(full.catalog)


def test_copies_of_rows_that_can_be_made_again_are_left_out(
    full: Bench, new_database: Callable[[], str], place: str, spare: BlobStore
) -> None:
    with full.catalog.read() as transaction:
        in_a_year = now() + dt.timedelta(days=365)
        before = performance_copies.log_of(transaction, full.blobs, in_a_year)
    assert list(full.blobs.every_key(performance_copies.COPIES))
    backup(full.catalog, full.blobs, place)
    url = new_database()
    restore(place, url, spare)
    assert not list(spare.every_key(performance_copies.COPIES))
    with Catalog(url).read() as transaction:
        after = performance_copies.log_of(transaction, spare, in_a_year)
    pd.testing.assert_frame_equal(after.questions, before.questions)


def test_what_is_written_after_the_backup_began_is_not_half_in_it(
    full: Bench, new_database: Callable[[], str], place: str, spare: BlobStore
) -> None:
    before = content(full.catalog)
    backup(full.catalog, full.blobs, place)
    full.ingest("latecomer")
    url = new_database()
    restore(place, url, spare)
    assert content(Catalog(url)) == before


def test_a_catalogue_that_holds_something_is_not_overwritten(
    full: Bench, place: str, spare: BlobStore
) -> None:
    backup(full.catalog, full.blobs, place)
    with pytest.raises(BackupError, match=r"is not empty .* answer"):
        restore(place, full.catalog.url, spare)


def test_an_empty_catalogue_that_was_opened_before_takes_a_backup(
    full: Bench, new_database: Callable[[], str], place: str, spare: BlobStore
) -> None:
    backup(full.catalog, full.blobs, place)
    url = new_database()
    Catalog(url).close()
    restore(place, url, spare)
    assert content(Catalog(url)) == content(full.catalog)


@pytest.mark.parametrize("kept", ["blobs", "catalogue", "lists"])
@pytest.mark.parametrize("harm", ["damaged", "missing"])
def test_a_harmed_backup_is_refused_and_leaves_the_catalogue_empty(
    kept: str,
    harm: str,
    full: Bench,
    new_database: Callable[[], str],
    place: str,
    spare: BlobStore,
) -> None:
    backup(full.catalog, full.blobs, place)
    file = next(each for each in sorted(Path(place, kept).rglob("*")) if each.is_file())
    if harm == "damaged":
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    else:
        file.unlink()
    url = new_database()
    with pytest.raises(BackupError, match=f"{kept}/.* {harm}|is {harm}"):
        restore(place, url, spare)
    with Catalog(url).read() as transaction:
        assert images.counts(transaction) == {}


def test_a_place_without_a_backup_is_said_to_have_none(
    new_database: Callable[[], str], place: str, spare: BlobStore
) -> None:
    with pytest.raises(BackupError, match="there is no backup at"):
        restore(place, new_database(), spare)


def test_a_backup_of_another_kind_of_database_is_refused(
    full: Bench, place: str, spare: BlobStore, tmp_path: Path
) -> None:
    kind = backup(full.catalog, full.blobs, place).manifest.database
    [manifest] = Path(place, "manifests").iterdir()
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[kind]
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"database": other}))
    with pytest.raises(BackupError, match=f"is one of {other}"):
        restore(place, full.catalog.url, spare)


def test_a_backup_is_not_put_among_the_blobs_that_it_copies(full: Bench) -> None:
    with pytest.raises(BackupError, match="name a place outside"):
        backup(full.catalog, full.blobs, f"{full.blobs.local_root}/backup")


def test_a_password_is_neither_shown_nor_given_on_a_command_line(
    full: Bench, place: str, spare: BlobStore
) -> None:
    backup(full.catalog, full.blobs, place)
    [manifest] = Path(place, "manifests").iterdir()
    content = json.loads(manifest.read_text()) | {"database": "postgresql"}
    manifest.write_text(json.dumps(content))
    with pytest.raises(Exception, match="connection") as refusal:
        restore(place, "postgresql+psycopg://me:hunter2@127.0.0.1:1/none", spare)
    assert "hunter2" not in str(refusal.value)
