"""What is to be ingested: a folder of one locale, an inbox with a folder for each, or a manifest.

A manifest is a table (``.csv``, ``.jsonl`` or ``.parquet``) with the columns ``uri`` and
``locale``; ``product`` (the image is already labelled), ``source`` and ``captured_at`` are
optional, and every other column is kept as it is. A relative ``uri`` starts at the manifest's own
folder.
"""

import csv
import datetime as dt
import json
import posixpath
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.reach import CHAIN, OutOfReach, Reach, TooLarge

KNOWN_COLUMNS = ("uri", "locale", "product", "source", "captured_at")
MOST_BYTES = 1_000_000_000
"""Of a manifest, as it lies there, unpacked, and of its rows: in Parquet, one may stand for all."""
MOST_ROWS = 5_000_000
MOST_COLUMNS = 200
MOST_LETTERS = 100_000
"""Of a row."""
ROWS_AT_ONCE = 10_000


class ManifestError(ValueError):
    """A source that cannot be read at all; the message says what to mend."""


@dataclass(frozen=True)
class Listing:
    """One picture that somebody wants ingested; `problem` says why it cannot be.

    `beside` is the folder that was named, or the one in which the manifest lies. An address may be
    signed, so that it is in no log.
    """

    uri: str = field(repr=False)
    locale: str
    beside: str
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
    return _in_folder(uri, locale)


def inbox_listings(uri: str, known_locales: Sequence[str]) -> list[Listing]:
    """The pictures of an inbox: a folder that holds one folder per locale."""
    fs, root = fsspec.core.url_to_fs(uri)
    return [
        listing
        for locale in known_locales
        if fs.isdir(f"{root}/{locale}")
        for listing in _in_folder(f"{uri}/{locale}", locale)
    ]


def _in_folder(uri: str, locale: str) -> list[Listing]:
    if CHAIN in uri:
        raise ManifestError(f"{uri} is a chain of addresses: name the folder itself")
    fs, root = fsspec.core.url_to_fs(uri)
    if not fs.isdir(root):
        raise ManifestError(f"there is no folder {uri}: name a folder or a manifest that exists")
    visible = (
        path
        for path in fs.find(root)
        if not any(part.startswith(".") for part in path[len(root) :].split("/"))
    )
    folder = fs.unstrip_protocol(root)
    return [_found(fs.unstrip_protocol(path), locale, folder) for path in sorted(visible)]


def _found(uri: str, locale: str, folder: str) -> Listing:
    try:
        _require_text(uri)
    except ValueError as reason:
        shown = uri.encode("utf-8", "backslashreplace").decode()
        return Listing(shown, locale, folder, problem=f"its name {reason}: rename it")
    return Listing(uri, locale, folder)


def _manifest_rows(uri: str, known_locales: Sequence[str]) -> Iterator[Listing]:
    content = _content(uri)
    try:
        columns, rows = READERS[posixpath.splitext(uri)[1].lower()](content)
        missing = [column for column in ("uri", "locale") if column not in columns]
        if missing:
            raise ManifestError(
                f"{uri} has no column {' and no column '.join(missing)} (it has"
                f" {', '.join(columns)}): a manifest needs `uri` and `locale`"
            )
        folder = posixpath.dirname(uri)
        n_bytes = 0
        for number, row in enumerate(rows, start=1):
            if number > MOST_ROWS:
                raise ManifestError(f"{uri} has more than {MOST_ROWS:,} rows: divide it")
            where = f"{uri} row {number}"
            try:
                text = _as_json(row)
                n_bytes += sys.getsizeof(text)  # a letter takes up to four
                if n_bytes > MOST_BYTES:
                    raise ManifestError(f"{uri} has rows of over {MOST_BYTES:,} bytes: divide it")
                yield _listing(json.loads(text), where, folder, known_locales)
            except _Unreadable as reason:
                yield Listing(where, "", folder, problem=f"{where}: {reason}")
    except (ValueError, OSError, csv.Error, pa.ArrowException) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"{uri} cannot be read as a table: {error}") from error


def _content(uri: str) -> bytes:
    if CHAIN in uri:
        raise ManifestError(f"{uri} is a chain of addresses: name the manifest itself")
    try:
        return Reach((uri,)).read(uri, at_most=MOST_BYTES)
    except FileNotFoundError as error:
        raise ManifestError(f"there is no manifest {uri}") from error
    except (OutOfReach, TooLarge, OSError) as error:
        raise ManifestError(f"{uri} cannot be read: {error}") from error


class _Unreadable(ValueError):
    """A row that cannot be read; the message completes the sentence "it ..."."""


Row = dict[str, Any] | _Unreadable
Table = tuple[Sequence[str], Iterator[Row]]


def _read_csv(content: bytes) -> Table:
    _require_few_lines(content)
    text = TextIOWrapper(BytesIO(content), encoding="utf-8-sig", newline="")
    lines = csv.reader(_short_lines(text), strict=True)
    columns = _columns(next(lines, []))

    def rows() -> Iterator[Row]:
        for cells in filter(None, lines):
            if len(cells) != len(columns):
                yield _Unreadable(f"has {len(cells)} values, and there are {len(columns)} columns")
            else:
                yield dict(zip(columns, cells, strict=True))

    return columns, rows()


def _require_few_lines(content: bytes) -> None:
    if content.count(b"\n") > MOST_ROWS:
        raise ValueError(f"it has more than {MOST_ROWS:,} lines: divide it")


def _short_lines(text: TextIOWrapper) -> Iterator[str]:
    while line := text.readline(MOST_LETTERS + 1):
        if len(line) > MOST_LETTERS:
            raise ValueError(f"a line is longer than {MOST_LETTERS:,} letters")
        yield line


def _read_jsonl(content: bytes) -> Table:
    _require_few_lines(content)

    def rows() -> Iterator[Row]:
        lines = map(bytes.strip, BytesIO(content.removeprefix(b"\xef\xbb\xbf")))
        return map(_of_json, filter(None, lines))

    held: dict[str, None] = {}
    for row in rows():
        if isinstance(row, dict):
            held.update(dict.fromkeys(row))
        if len(held) > MOST_COLUMNS:
            break
    return _columns(list(held)), rows()


def _of_json(line: bytes) -> Row:
    if len(line) > MOST_LETTERS:
        return _Unreadable(f"is longer than {MOST_LETTERS:,} bytes")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _Unreadable(f"is no JSON ({error})")
    return row if isinstance(row, dict) else _Unreadable("is no JSON object")


def _read_parquet(content: bytes) -> Table:
    schema = pq.read_schema(BytesIO(content))
    for each in schema:
        if not any(is_plain(each.type) for is_plain in _PLAIN_TYPES):
            raise ValueError(f"column {each.name} holds {each.type}: keep texts, numbers, times")
    texts = [each.name for each in schema if any(is_text(each.type) for is_text in _TEXTS)]
    # A text that stands in many rows stays one text until each row is looked at.
    file = pq.ParquetFile(BytesIO(content), read_dictionary=texts)
    columns = _columns(file.schema_arrow.names)
    about = file.metadata
    groups = (about.row_group(number) for number in range(about.num_row_groups))
    if about.num_rows > MOST_ROWS or sum(each.total_byte_size for each in groups) > MOST_BYTES:
        raise ValueError(f"it unpacks to more than {MOST_ROWS:,} rows or {MOST_BYTES:,} bytes")

    def rows() -> Iterator[Row]:
        for batch in file.iter_batches(ROWS_AT_ONCE, use_threads=False):
            for name in texts:
                letters = pc.max(pc.binary_length(batch[name].dictionary)).as_py()
                if letters is not None and letters > MOST_LETTERS:
                    raise ValueError(f"column {name} holds {letters:,} bytes in one value")
            for number in range(batch.num_rows):
                yield {
                    column: batch.column(place)[number].as_py()
                    for place, column in enumerate(columns)
                }

    return columns, rows()


_TEXTS = (pa.types.is_string, pa.types.is_large_string)
_PLAIN_TYPES = (
    *_TEXTS,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_temporal,
    pa.types.is_null,
)

READERS: dict[str, Callable[[bytes], Table]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}


def _columns(names: Sequence[str]) -> Sequence[str]:
    if len(names) > MOST_COLUMNS:
        raise ValueError(f"it has {len(names):,} columns, and up to {MOST_COLUMNS} are read")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"it has two columns {', '.join(twice)}: keep one")
    return names


def _as_json(row: Row) -> str:
    """`row` with None for empty values; raises `_Unreadable` for what no database keeps."""
    if isinstance(row, _Unreadable):
        raise row
    empty = {name for name, value in row.items() if value == "" or value != value}
    try:
        text = json.dumps(
            {name: None if name in empty else value for name, value in row.items()},
            default=str,
            ensure_ascii=False,
            allow_nan=False,
        )
    except (ValueError, RecursionError) as error:
        raise _Unreadable(f"holds what is no JSON ({error})") from error
    if len(text) > MOST_LETTERS:
        raise _Unreadable(f"is longer than {MOST_LETTERS:,} letters")
    try:
        _require_text(_ZERO.sub("\0", text))
    except ValueError as reason:
        raise _Unreadable(str(reason)) from None
    return text


_ZERO = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A zero byte as JSON writes it, after any number of backslashes that are meant."""


def _require_text(text: str) -> None:
    """Raise `ValueError` for a text that no database keeps; it completes the sentence "it ..."."""
    if "\0" in text:
        raise ValueError("holds a zero byte")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not written in UTF-8") from None


def _listing(row: dict[str, Any], where: str, folder: str, known_locales: Sequence[str]) -> Listing:
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
        except (ValueError, OverflowError):
            problems.append(f"`captured_at` {row['captured_at']!r} is not an ISO 8601 time")
    return Listing(
        uri=_resolved(str(uri), folder) if uri else where,
        locale=str(locale),
        beside=folder,
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
