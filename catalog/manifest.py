"""What is to be ingested: a folder of one locale, an inbox with a folder for each, or a manifest.

A manifest is a table (``.csv``, ``.jsonl`` or ``.parquet``) with the columns ``uri`` and
``locale``; ``product`` (the image is already labelled), ``source`` and ``captured_at`` are
optional, and every other column is kept as it is. A relative ``uri`` starts at the manifest's own
folder.
"""

import datetime as dt
import json
import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import fsspec
import pandas as pd

KNOWN_COLUMNS = ("uri", "locale", "product", "source", "captured_at")
READERS: dict[str, Callable[[BytesIO], pd.DataFrame]] = {
    ".csv": lambda file: pd.read_csv(file, dtype=str, keep_default_na=False),
    ".jsonl": lambda file: pd.DataFrame(json.loads(line) for line in file if line.strip()),
    ".parquet": pd.read_parquet,
}


class ManifestError(ValueError):
    """A source that cannot be read at all; the message says what to mend."""


@dataclass(frozen=True)
class Listing:
    """One picture that somebody wants ingested; `problem` says why it cannot be."""

    uri: str
    locale: str
    product: str | None = None
    source: str | None = None
    captured_at: dt.datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None


def listings(uri: str, locale: str | None, known_locales: Sequence[str]) -> list[Listing]:
    """The pictures of a manifest, or of a folder whose pictures are all of `locale`.

    Raises `ManifestError` where `uri` is neither, or `locale` is missing or unknown. A row of a
    manifest that cannot be used is returned with its `problem`, so that it can be set aside.
    """
    suffix = posixpath.splitext(uri)[1].lower()
    if suffix in READERS:
        if locale is not None:
            raise ManifestError(
                f"{uri} is a manifest and names each picture's locale itself: leave `locale` out"
            )
        return list(_manifest_rows(uri, known_locales))
    if locale is None:
        raise ManifestError(
            f"{uri} is taken for a folder, so its pictures need a locale (one of"
            f" {', '.join(known_locales)}); a manifest must end in {', '.join(READERS)}"
        )
    if locale not in known_locales:
        raise ManifestError(_unknown_locale(locale, known_locales))
    return [Listing(uri=file, locale=locale) for file in _files(uri)]


def inbox_listings(uri: str, known_locales: Sequence[str]) -> list[Listing]:
    """The pictures of an inbox: a folder that holds one folder per locale."""
    fs, root = fsspec.core.url_to_fs(uri)
    return [
        Listing(uri=file, locale=locale)
        for locale in known_locales
        if fs.isdir(f"{root}/{locale}")
        for file in _files(f"{uri}/{locale}")
    ]


def _files(uri: str) -> list[str]:
    fs, root = fsspec.core.url_to_fs(uri)
    if not fs.isdir(root):
        raise ManifestError(f"there is no folder {uri}: name a folder or a manifest that exists")
    visible = (
        path
        for path in fs.find(root)
        if not any(part.startswith(".") for part in path[len(root) :].split("/"))
    )
    return [fs.unstrip_protocol(path) for path in sorted(visible)]


def _manifest_rows(uri: str, known_locales: Sequence[str]) -> Iterator[Listing]:
    table = _read_table(uri)
    missing = [column for column in ("uri", "locale") if column not in table.columns]
    if missing:
        raise ManifestError(
            f"{uri} has no column {' and no column '.join(missing)} (it has"
            f" {', '.join(map(str, table.columns))}): a manifest needs `uri` and `locale`"
        )
    folder = posixpath.dirname(uri)
    for number, row in enumerate(table.to_dict("records"), start=1):
        yield _listing(
            {str(column): _plain(value) for column, value in row.items()},
            where=f"{uri} row {number}",
            folder=folder,
            known_locales=known_locales,
        )


def _read_table(uri: str) -> pd.DataFrame:
    try:
        with fsspec.open(uri, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise ManifestError(f"there is no manifest {uri}") from error
    try:
        return READERS[posixpath.splitext(uri)[1].lower()](BytesIO(content))
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{uri} cannot be read as a table: {error}") from error


def _listing(
    row: dict[str, Any], *, where: str, folder: str, known_locales: Sequence[str]
) -> Listing:
    problems: list[str] = []
    uri, locale = row.get("uri"), row.get("locale")
    if not uri:
        problems.append("`uri` is empty")
    if locale not in known_locales:
        problems.append(_unknown_locale(locale, known_locales))
    captured_at = None
    if row.get("captured_at"):
        try:
            captured_at = _utc(str(row["captured_at"]))
        except ValueError:
            problems.append(f"`captured_at` {row['captured_at']!r} is not an ISO 8601 time")
    return Listing(
        uri=_resolved(str(uri), folder) if uri else where,
        locale=str(locale),
        product=str(row["product"]) if row.get("product") else None,
        source=str(row["source"]) if row.get("source") else None,
        captured_at=captured_at,
        extra={key: value for key, value in row.items() if key not in KNOWN_COLUMNS and value},
        problem=f"{where}: {'; '.join(problems)}" if problems else None,
    )


def _unknown_locale(locale: object, known_locales: Sequence[str]) -> str:
    return (
        f"locale {locale!r} has no annotators here (known: {', '.join(known_locales)}): correct it,"
        " or add it to `locales` in groundtruth.toml"
    )


def _resolved(uri: str, folder: str) -> str:
    return uri if "://" in uri or uri.startswith("/") else posixpath.join(folder, uri)


def _utc(text: str) -> dt.datetime:
    time = dt.datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)


def _plain(value: Any) -> Any:
    """`value` as JSON keeps it; missing values as None."""
    if isinstance(value, list | dict):
        return value
    if pd.isna(value) or value == "":
        return None
    return json.loads(json.dumps(value, default=str))
