"""A catalogue of every earlier revision comes to the newest with all that is in it."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, select, text

import catalog as package
from catalog import Catalog, clusters, decisions, images
from catalog.schema import Question, Table
from tests.catalog.rows import NOON, image

CONFIG = alembic.config.Config()
CONFIG.set_main_option("script_location", str(Path(package.__file__).parent / "migrations"))
SCRIPTS = ScriptDirectory.from_config(CONFIG)
REVISIONS = sorted(script.revision for script in SCRIPTS.walk_revisions())
# What a later revision has no use for: how far a site was read is found out again.
FORGOTTEN = {"alembic_version", "product_name", "pull"}
N_ROWS = 3


def migrate(url: str, revision: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        CONFIG.attributes["connection"] = connection
        alembic.command.upgrade(CONFIG, revision)
    engine.dispose()


def fill(url: str) -> dict[str, int]:
    """Put rows that refer to one another into every table that there is; how many each has."""
    engine, found = create_engine(url), MetaData()
    with engine.begin() as connection:
        found.reflect(connection)
        found.remove(found.tables["alembic_version"])
        for table in found.sorted_tables:
            for number in range(N_ROWS):
                connection.execute(
                    table.insert().values(
                        {column.name: value(column, number) for column in table.columns}
                    )
                )
    engine.dispose()
    return {table.name: N_ROWS for table in found.sorted_tables}


def value(column: sa.Column[Any], number: int) -> object:
    """Something that `column` may hold in the row of this number."""
    if column.foreign_keys:
        [key] = column.foreign_keys
        if key.column.table is not column.table:
            return value(key.column, number)
        # Each row follows the one before.
        return value(key.column, number - 1) if number else None
    match column.type:
        case sa.Boolean():
            return False
        case sa.Integer():
            return number + 1
        case sa.Float() | sa.Numeric():
            return 0.5
        case sa.DateTime():
            return NOON.replace(tzinfo=None) + dt.timedelta(days=number)
        case sa.JSON():
            return json_of(column.name, number)
    return f"{column.table.name} {number}"[: getattr(column.type, "length", None) or 100]


def json_of(name: str, number: int) -> object:
    if name in {"image_ids", "kept_ids", "removed_ids", "reference_ids", "intruder_ids"}:
        return [f"image {number}"]
    if name == "groups":
        return [[f"image {number}"]]
    if name == "memberships":
        return [1.0]
    lists = {"answer_ids", "annotators", "flags", "reasons", "rules"}
    return [] if name in lists else {}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_catalogue_of_any_revision_keeps_what_is_in_it_and_goes_on(
    revision: str, new_database: Callable[[], str]
) -> None:
    url = new_database()
    migrate(url, revision)
    kept = {name: n for name, n in fill(url).items() if name not in FORGOTTEN}
    opened = Catalog(url)
    assert {name: n for name, n in counts(opened).items() if name in kept} == kept
    assert references_to_nothing(opened) == []
    new = image("new")
    asked = Question(id="new", kind="verify", locale="de-DE", site="local", image_ids=[new.id])
    with opened.begin() as transaction:
        images.record(transaction, [new], [])
        assert images.waiting(transaction, "de-DE") == [new.id]
        decisions.add_questions(transaction, [asked])
        assert images.waiting(transaction, "de-DE") == []
    opened.close()


def counts(catalog: Catalog) -> dict[str, int]:
    """How many rows of each table can be read."""
    with catalog.read() as transaction:
        return {
            mapper.class_.__tablename__: len(transaction.scalars(select(mapper.class_)).all())
            for mapper in Table.registry.mappers
        }


def references_to_nothing(catalog: Catalog) -> list[str]:
    """The columns that refer to rows that are not there."""
    with catalog.read() as transaction:
        return [
            str(key.parent)
            for table in Table.metadata.sorted_tables
            for key in table.foreign_keys
            if transaction.execute(
                select(key.parent)
                .where(key.parent.is_not(None), ~key.parent.in_(select(key.column)))
                .limit(1)
            ).first()
        ]


def test_an_earlier_catalogue_knows_what_a_locale_was_clustered_into_last(
    new_database: Callable[[], str],
) -> None:
    url = new_database()
    migrate(url, "0018")
    fill(url)
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE \"partition\" SET locale = 'de-DE'"))

    opened = Catalog(url)

    with opened.read() as transaction:
        [(locale, latest)] = clusters.latest_partitions(transaction).items()
        assert (locale, latest.id) == ("de-DE", f"partition {N_ROWS - 1}")
        assert clusters.last_times(transaction) == {locale: (latest.created_at, latest.n_images)}
    opened.close()
