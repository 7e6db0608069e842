"""The log as columns: the same from either database, and from copies of days that are over."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from catalog import BlobStore, Catalog, performance_copies
from catalog.performance import PARTS, Log, log_of
from tests.workforce.performed import FIRST, Work, a_busy_quarter

LATER = FIRST + dt.timedelta(days=2)
LONG_AFTER = FIRST + dt.timedelta(days=40)


def in_order(found: pd.DataFrame) -> pd.DataFrame:
    """Without identities, its rows in an order of their own, names as they are written."""
    plain = found.drop(columns="id", errors="ignore")
    names = plain.select_dtypes("category").columns
    plain = plain.astype(dict.fromkeys(names, str))
    return plain.sort_values(list(plain.columns), ignore_index=True)


def same(one: Log, other: Log) -> None:
    for part in PARTS:
        left, right = (in_order(getattr(each, part.name)) for each in (one, other))
        assert len(left)
        pd.testing.assert_frame_equal(left, right)


@pytest.fixture
def busy(catalog: Catalog) -> Catalog:
    a_busy_quarter(2, n_questions=80, days=2).into(catalog)
    return catalog


@pytest.mark.parametrize("now", [FIRST, LATER, LONG_AFTER], ids=["no day", "some days", "all days"])
def test_copies_say_what_the_catalogue_says(
    busy: Catalog, blobs: BlobStore, now: dt.datetime
) -> None:
    with busy.read() as transaction:
        for _ in range(2):
            same(performance_copies.log_of(transaction, blobs, now), log_of(transaction))


def test_a_row_that_comes_late_is_not_missed(busy: Catalog, blobs: BlobStore) -> None:
    with busy.read() as transaction:
        performance_copies.log_of(transaction, blobs, LATER)
    late = Work()
    late.answer(late.question("late", FIRST), FIRST)
    late.into(busy)
    with busy.read() as transaction:
        same(performance_copies.log_of(transaction, blobs, LATER), log_of(transaction))


def test_a_copy_that_is_lost_is_made_again(busy: Catalog, blobs: BlobStore) -> None:
    with busy.read() as transaction:
        before = performance_copies.log_of(transaction, blobs, LATER)
        keys = list(blobs.every_key("performance"))
        blobs.delete(keys[0])
        same(performance_copies.log_of(transaction, blobs, LATER), before)
    assert list(blobs.every_key("performance")) == keys


def test_the_day_that_runs_is_not_copied(busy: Catalog, blobs: BlobStore) -> None:
    with busy.read() as transaction:
        performance_copies.log_of(transaction, blobs, LATER)
    days = {key.rsplit("/", 1)[1][:10] for key in blobs.every_key("performance")}
    assert max(days) < f"{LATER:%Y-%m-%d}"


def test_every_database_says_the_same(busy: Catalog, tmp_path: Path) -> None:
    other = Catalog(f"sqlite:///{tmp_path / 'other.sqlite'}")
    a_busy_quarter(2, n_questions=80, days=2).into(other)
    with busy.read() as one, other.read() as two:
        same(log_of(one), log_of(two))
    other.close()
