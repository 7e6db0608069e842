"""A database or a store that does not answer is named, with the remedy and without its secrets."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from catalog import BlobStore, Catalog
from catalog.errors import CatalogueUnreachable, StoreUnreachable, may_pass
from tests.conftest import free_ports
from tests.postgresql import PostgreSQL

SECRET = "secret-word"


@pytest.fixture
def away() -> BlobStore:
    """A store on S3 where nothing listens."""
    [closed] = free_ports(1)
    return BlobStore(
        "s3://photos/blobs",
        {
            "key": "owner",
            "secret": SECRET,
            "endpoint_url": f"http://127.0.0.1:{closed}",
            "config_kwargs": {"retries": {"max_attempts": 0}},
        },
    )


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.put("a", b"content"),
        lambda store: store.replace("a", b"content"),
        lambda store: store.put_file("a", Path(__file__)),
        lambda store: store.get("a"),
        lambda store: store.get_file("a", Path("nowhere")),
        lambda store: store.get_ranges("a", [(0, 1)]),
        lambda store: store.open("a").__enter__(),
        lambda store: store.directory("a").__enter__(),
        lambda store: store.exists("a"),
        lambda store: store.share("a", "b"),
        lambda store: store.delete("a"),
        lambda store: list(store.every_key()),
    ],
    ids=lambda ask: ask.__code__.co_names[0],
)
def test_a_store_that_does_not_answer_is_named_and_may_be_asked_again(
    away: BlobStore, ask: Callable[[BlobStore], object]
) -> None:
    with pytest.raises(
        StoreUnreachable, match=r"s3://photos/blobs does not answer .*see that"
    ) as raised:
        ask(away)
    assert may_pass(raised.value)
    assert SECRET not in str(raised.value)


def test_a_database_that_does_not_answer_is_named_and_may_be_asked_again() -> None:
    [closed] = free_ports(1)
    with pytest.raises(
        CatalogueUnreachable, match=rf"ann:\*\*\*@127.0.0.1:{closed}/x does not answer .*start"
    ) as raised:
        Catalog(f"postgresql+psycopg://ann:{SECRET}@127.0.0.1:{closed}/x")
    assert may_pass(raised.value)
    assert SECRET not in str(raised.value)


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    """A PostgreSQL that a test may stop."""
    with TemporaryDirectory(dir="/tmp") as scratch:
        running = PostgreSQL(Path(scratch))
        running.start()
        yield running
        running.kill()


def test_a_catalogue_goes_on_when_its_database_is_back(server: PostgreSQL) -> None:
    catalog = Catalog(server.url("postgres"))

    def ask(meanwhile: Callable[[], None] = lambda: None) -> None:
        with catalog.begin() as transaction:
            transaction.execute(text("SELECT 1"))
            meanwhile()
            transaction.execute(text("SELECT 1"))

    with pytest.raises(CatalogueUnreachable):
        ask(server.kill)
    with pytest.raises(CatalogueUnreachable):
        ask()
    server.start()
    ask()
    catalog.close()
