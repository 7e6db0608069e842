"""A database tells how it does, of either kind, and is left as it was."""

import datetime as dt
from pathlib import Path

import pytest

from catalog import Catalog
from catalog.checkup import NoCatalogue, checkup, damage
from tests.conftest import free_ports


def test_todays_schema_is_known_as_such(catalog: Catalog) -> None:
    found = checkup(catalog.url)

    assert found.revision == found.newest
    assert found.known
    assert catalog.url.startswith(found.kind)
    assert found.journal == ("wal" if found.kind == "sqlite" else "")
    assert abs(found.clock - found.asked_at) < dt.timedelta(minutes=1)
    assert damage(catalog.url) == []


def test_an_empty_postgresql_stays_empty(postgres: str) -> None:
    url = postgres.format(name="postgres")

    assert checkup(url).revision is None
    assert checkup(url).revision is None


def test_none_is_made_where_there_is_none(tmp_path: Path) -> None:
    [closed] = free_ports(1)
    for url in (
        f"sqlite:///{tmp_path / 'catalogue.sqlite'}",
        f"postgresql+psycopg://127.0.0.1:{closed}/x",
    ):
        with pytest.raises(NoCatalogue):
            checkup(url)
    assert list(tmp_path.iterdir()) == []
