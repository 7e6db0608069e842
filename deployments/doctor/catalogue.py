"""The catalogue: whether it is there, of the right schema, whole, and backed up."""

import datetime as dt
from collections.abc import Iterator

from catalog import Catalog, backup
from catalog.checkup import NoCatalogue, checkup, damage
from catalog.errors import BackupError
from deployments.doctor.examination import CannotTell, Finding, error, warning, well
from tasks.settings import Settings

OLDEST_POSTGRESQL = 13
TURN_ON = "start the database, and correct `catalogue` in groundtruth.toml where it is another one"
RESTORE = (
    "stop everything (`groundtruth down`), keep the file, and bring the newest backup back into a"
    " new place with `groundtruth restore`"
)


def opened(settings: Settings) -> Catalog:
    """The catalogue, where opening it changes nothing; raises `CannotTell` elsewhere.

    A catalogue that is not there would be made by opening it, and an earlier one migrated.
    """
    try:
        found = checkup(settings.catalogue_url)
    except NoCatalogue as problem:
        raise CannotTell(str(problem)) from problem
    if found.revision != found.newest:
        raise CannotTell(f"the schema of the catalogue is {found.revision}, not {found.newest}")
    return settings.catalog


def database(settings: Settings) -> Iterator[Finding]:
    """Whether it answers, and whether its schema is the one of this program."""
    try:
        found = checkup(settings.catalogue_url)
    except NoCatalogue as problem:
        if settings.catalogue is None and not (settings.data / "catalogue.sqlite").exists():
            yield well("there is no catalogue yet: the first flow makes it")
        else:
            yield error(str(problem), TURN_ON)
        return
    name = f"{found.kind} {found.version}"
    if found.revision == found.newest:
        yield well(f"{name} answers, with the schema of this program ({found.newest})")
    elif found.known:
        yield warning(
            f"the schema is {found.revision or 'empty'}, and {found.newest} is this program's",
            "make a backup; the next command that opens the catalogue brings it to the newest",
        )
    else:
        yield error(
            f"this program does not know the schema {found.revision}: its own is {found.newest}",
            "a newer groundtruth has made it: install that one here too, or restore a backup from"
            " before it into an empty database",
        )
    if found.kind == "sqlite" and found.journal != "wal":
        yield error(
            f"the journal mode is {found.journal!r} and not WAL: readers and writers wait for each"
            " other, and fail",
            "put the file on a local disk (WAL needs one), and run any command of `groundtruth`,"
            " which turns WAL on",
        )
    if found.kind == "postgresql" and int(found.version.split(".")[0]) < OLDEST_POSTGRESQL:
        yield warning(
            f"PostgreSQL {found.version} is no longer kept by its makers",
            f"move to {OLDEST_POSTGRESQL} or newer, best to the newest",
        )


def integrity(settings: Settings) -> Iterator[Finding]:
    """Whether SQLite finds its file whole; PostgreSQL looks after itself."""
    try:
        found = damage(settings.catalogue_url)
    except NoCatalogue as problem:
        if settings.catalogue is None and not (settings.data / "catalogue.sqlite").exists():
            yield well("there is no catalogue yet")
        else:
            yield error(str(problem), RESTORE)
        return
    if found:
        yield error(f"the file is damaged: {'; '.join(found[:3])}", RESTORE)
    else:
        yield well("nothing is wrong with the file")


def backups(settings: Settings) -> Iterator[Finding]:
    """Whether the newest backup is young enough."""
    place = settings.observability.backup
    if place is None:
        yield warning(
            "it is not known where backups are kept",
            "run `groundtruth backup PLACE` each night, and name PLACE as `backup` under"
            " [observability] in groundtruth.toml",
        )
        return
    try:
        newest = backup.newest(place)
    except BackupError as problem:
        yield error(str(problem), f"run `groundtruth backup {place}`")
        return
    age = dt.datetime.now(dt.UTC) - newest
    days = age.total_seconds() / 86_400
    if days > settings.observability.backup_within_days:
        yield error(
            f"the newest backup at {place} is {days:.1f} days old: as much work would be lost with"
            " this disk",
            f"run `groundtruth backup {place}`, and see why its schedule did not",
        )
    else:
        yield well(f"the newest backup is {days:.1f} days old")
