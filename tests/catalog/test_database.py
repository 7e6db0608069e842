"""The database keeps what it is given once, whole, and in UTC."""

import datetime as dt
import threading
from pathlib import Path

import alembic.command
import alembic.config
import pytest
from sqlalchemy import create_engine, inspect

import catalog as package
from catalog import Catalog, images
from catalog.database import MAX_BOUND_VALUES, add_new
from catalog.schema import ImageSource, SetAside, Table
from tests.catalog.rows import NOON, Bench, image


def test_the_migrations_make_exactly_the_tables_of_the_schema(catalog: Catalog) -> None:
    config = alembic.config.Config()
    folder = Path(package.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    with create_engine(catalog.url).begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.check(config)
        assert set(inspect(connection).get_table_names()) == {
            *Table.metadata.tables,
            "alembic_version",
        }


def test_every_migration_can_be_taken_back(catalog: Catalog) -> None:
    config = alembic.config.Config()
    folder = Path(package.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    with create_engine(catalog.url).begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]


def test_opening_a_catalogue_again_keeps_what_is_in_it(bench: Bench) -> None:
    [image_id] = bench.ingest("a")
    with Catalog(bench.catalog.url).begin() as transaction:
        assert images.waiting(transaction, "de-DE") == [image_id]


def test_a_row_that_is_written_twice_is_there_once(bench: Bench) -> None:
    with bench.catalog.begin() as transaction:
        assert add_new(transaction, [image("a"), image("b")]) == 2
        assert add_new(transaction, [image("b"), image("c")]) == 1
        assert images.counts(transaction) == {"de-DE": 3}


def test_a_transaction_that_raises_leaves_nothing(bench: Bench) -> None:
    def fail_after_writing() -> None:
        with bench.catalog.begin() as transaction:
            add_new(transaction, [image("a")])
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_after_writing()
    with bench.catalog.begin() as transaction:
        assert images.counts(transaction) == {}


def test_more_rows_than_one_statement_can_bind_are_all_written(bench: Bench) -> None:
    n_rows = MAX_BOUND_VALUES // len(SetAside.__table__.columns) + 1
    with bench.catalog.begin() as transaction:
        assert images.set_aside(transaction, [(f"{n}.jpg", "why") for n in range(n_rows)]) == n_rows


def test_times_come_back_in_utc_whatever_zone_they_were_given_in(bench: Bench) -> None:
    elsewhere = NOON.astimezone(dt.timezone(dt.timedelta(hours=9)))
    [image_id] = bench.ingest("a")
    bench.add(
        ImageSource(id="s", image_id=image_id, uri="a.jpg", locale="de-DE", captured_at=elsewhere)
    )
    with bench.catalog.begin() as transaction:
        found = transaction.get(ImageSource, "s")
    assert found is not None
    assert found.captured_at == NOON
    assert found.captured_at.utcoffset() == dt.timedelta(0)


def test_a_time_without_a_zone_is_refused(bench: Bench) -> None:
    naive = image("a")
    naive.ingested_at = dt.datetime(2026, 1, 1)
    with pytest.raises(Exception, match="no time zone"):
        bench.add(naive)


def test_writers_at_the_same_time_wait_for_each_other(bench: Bench) -> None:
    def write(writer: int) -> None:
        for number in range(10):
            with bench.catalog.begin() as transaction:
                add_new(transaction, [image(f"{writer} {number}"), image(f"shared {number}")])

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with bench.catalog.begin() as transaction:
        assert images.counts(transaction) == {"de-DE": 50}


def test_another_kind_of_database_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(ValueError, match="neither SQLite nor PostgreSQL"):
        Catalog("mysql://somewhere/else")


def test_a_password_in_a_refused_url_is_not_shown() -> None:
    with pytest.raises(ValueError, match="neither") as refusal:
        Catalog("mysql://user:hunter2@somewhere/else")
    assert "hunter2" not in str(refusal.value)
