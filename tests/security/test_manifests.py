"""A hostile manifest costs little, says what is wrong with it, and loses no row."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sqlalchemy import select

from catalog.manifest import MOST_COLUMNS, MOST_LETTERS, Listing, ManifestError, listings
from catalog.schema import ImageSource, SetAside
from tasks.ingest import Ingested, ingest_batch, list_pictures, shown
from tasks.settings import Settings, load_settings
from tests.catalog.conftest import *  # noqa: F403
from tests.conftest import ROOT

LOCALES = ["de-DE"]
MEMORY = 3_000_000_000
"""Bytes that a reader may reserve; its libraries take two of the three."""

READS = """
import sys
from catalog.manifest import Listing, ManifestError, listings
try:
    print(len(listings(sys.argv[1], None, ["de-DE"])))
except ManifestError as error:
    print("refused:", error)
"""


def read_with_little_memory(manifest: Path, memory: int = MEMORY) -> str:
    """What is printed by a process that may reserve `memory` and no more."""
    done = subprocess.run(
        [sys.executable, "-c", READS, str(manifest)],
        cwd=ROOT,
        env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )
    return done.stdout or done.stderr


def write(path: Path, columns: dict[str, object], **how: object) -> Path:
    pq.write_table(pa.table(columns), path, **how)
    return path


def one_text_in_all_rows(folder: Path, number: int, text: str) -> Path:
    """A small file of `number` rows, all of which name `text`."""
    one = pa.DictionaryArray.from_arrays(pa.array([0] * number, pa.int32()), [text])
    bomb = write(
        folder / "bomb.parquet",
        {"uri": one, "locale": ["de-DE"] * number},
        compression="zstd",
        store_schema=False,
    )
    assert bomb.stat().st_size < 10_000
    return bomb


class TestParquet:
    def test_one_text_in_many_rows_is_not_unpacked_row_by_row(self, tmp_path: Path) -> None:
        bomb = one_text_in_all_rows(tmp_path, 200_000, "x" * 20_000_000)
        assert "holds 20,000,000 bytes in one value" in read_with_little_memory(bomb)

    def test_a_text_of_a_row_counts_in_every_row_as_what_its_letters_take(
        self, tmp_path: Path
    ) -> None:
        text = "x" * 90_000 + "\N{TEACUP WITHOUT HANDLE}"
        bomb = one_text_in_all_rows(tmp_path, 100_000, text)
        assert "has rows of over 1,000,000,000 bytes" in read_with_little_memory(bomb)

    def test_texts_that_unpack_to_gigabytes_are_refused_unread(self, tmp_path: Path) -> None:
        column = pa.chunked_array([["x" * 60_000_000]] * 20)
        bomb = write(
            tmp_path / "bomb.parquet",
            {"uri": column, "locale": ["de-DE"] * 20},
            compression="zstd",
            use_dictionary=False,
        )
        assert bomb.stat().st_size < 200_000
        assert "it unpacks to more than" in read_with_little_memory(bomb)

    def test_more_rows_than_a_manifest_has_are_refused_unread(self, tmp_path: Path) -> None:
        nothing = pa.nulls(6_000_000, pa.string())
        bomb = write(tmp_path / "bomb.parquet", {"uri": nothing, "locale": nothing})
        assert bomb.stat().st_size < 200_000
        with pytest.raises(ManifestError, match="it unpacks to more than 5,000,000 rows"):
            listings(str(bomb), None, LOCALES)

    def test_columns_without_end_are_refused(self, tmp_path: Path) -> None:
        many = {f"c{number}": [1] for number in range(MOST_COLUMNS + 1)}
        with pytest.raises(ManifestError, match="it has 201 columns"):
            listings(str(write(tmp_path / "wide.parquet", many)), None, LOCALES)

    @pytest.mark.parametrize(
        "values",
        [
            pa.array([[[["deep"]]]]),
            pa.array([{"a": {"b": 1}}]),
            pa.array([b"x" * 1000], pa.binary(1000)),
            pa.array([b"binary"]),
        ],
    )
    def test_columns_of_other_than_plain_values_are_named(
        self, tmp_path: Path, values: pa.Array
    ) -> None:
        columns = {"uri": ["a.jpg"], "locale": ["de-DE"], "strange": values}
        manifest = write(tmp_path / "nested.parquet", columns)
        with pytest.raises(ManifestError, match=r"column strange holds .* keep texts"):
            listings(str(manifest), None, LOCALES)

    @pytest.mark.parametrize("cut", [4, 20, 200])
    def test_a_file_that_was_cut_is_refused(self, tmp_path: Path, cut: int) -> None:
        whole = write(tmp_path / "whole.parquet", {"uri": ["a.jpg"], "locale": ["de-DE"]})
        whole.write_bytes(whole.read_bytes()[:-cut])
        with pytest.raises(ManifestError, match="cannot be read as a table"):
            listings(str(whole), None, LOCALES)


class TestLines:
    @pytest.mark.parametrize(
        ("name", "line"), [("bomb.jsonl", b"{}\n"), ("bomb.jsonl", b"1\n"), ("bomb.csv", b",\n")]
    )
    def test_more_lines_than_a_manifest_has_are_refused_unread(
        self, tmp_path: Path, name: str, line: bytes
    ) -> None:
        bomb = tmp_path / name
        bomb.write_bytes(b"uri,locale\n" + line * 40_000_000)
        assert "it has more than 5,000,000 lines: divide it" in read_with_little_memory(bomb)

    def test_lines_are_not_held_to_learn_their_columns(self, tmp_path: Path) -> None:
        bomb = tmp_path / "bomb.jsonl"
        bomb.write_bytes(b'{"a":1}\n' * 4_900_000)
        assert "has no column uri" in read_with_little_memory(bomb, MEMORY // 2)

    def test_a_line_without_an_end_is_refused(self, tmp_path: Path) -> None:
        manifest = tmp_path / "long.csv"
        manifest.write_bytes(b"uri,locale\n" + b"," * (MOST_LETTERS + 1))
        with pytest.raises(ManifestError, match="a line is longer than 100,000 letters"):
            listings(str(manifest), None, LOCALES)

    def test_a_quote_that_is_never_closed_does_not_swallow_rows(self, tmp_path: Path) -> None:
        manifest = tmp_path / "open.csv"
        manifest.write_text('uri,locale\na.jpg,de-DE\n"b.jpg,de-DE\nc.jpg,de-DE\n')
        with pytest.raises(ManifestError, match="unexpected end of data"):
            listings(str(manifest), None, LOCALES)

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ('{"uri": "b.jpg", "locale": "de-DE", "x": "' + "y" * MOST_LETTERS + '"}', "is longer"),
            ("[" * 50_000, "is no JSON"),
            ("{", "is no JSON"),
            ('"b.jpg"', "is no JSON object"),
            ('{"uri": "b.jpg", "locale": "de-DE", "weight": Infinity}', "holds what is no JSON"),
            ('{"uri": "b.jpg", "locale": "de-DE", "product": "a\\u0000b"}', "holds a zero byte"),
            ('{"uri": "b.jpg", "locale": "de-DE", "product": "\\ud800"}', "is not written in UTF"),
            (
                '{"uri": "b.jpg", "locale": "de-DE", "captured_at": "0001-01-01T00:00+23:00"}',
                "time",
            ),
        ],
    )
    def test_a_line_that_cannot_be_used_is_set_aside_by_its_number(
        self, tmp_path: Path, line: str, reason: str
    ) -> None:
        manifest = tmp_path / "m.jsonl"
        manifest.write_text("\n".join([GOOD, line, GOOD]))
        found = listings(str(manifest), None, LOCALES)
        assert [each.problem is None for each in found] == [True, False, True]
        assert f"{manifest} row 2: " in str(found[1].problem)
        assert reason in str(found[1].problem)

    def test_backslashes_that_are_meant_are_no_zero_byte(self, tmp_path: Path) -> None:
        manifest = tmp_path / "m.jsonl"
        manifest.write_text(json.dumps({**json.loads(GOOD), "product": "a\\u0000"}))
        [listing] = listings(str(manifest), None, LOCALES)
        assert listing.product == "a\\u0000"

    def test_a_row_of_another_length_is_set_aside(self, tmp_path: Path) -> None:
        manifest = tmp_path / "m.csv"
        manifest.write_text("uri,locale\na.jpg,de-DE,more\nb.jpg,de-DE\n")
        first, second = listings(str(manifest), None, LOCALES)
        assert "has 3 values, and there are 2 columns" in str(first.problem)
        assert second.problem is None


GOOD = json.dumps({"uri": "a.jpg", "locale": "de-DE"})


@pytest.fixture
def settings(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A catalogue of each kind, without servers."""
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GROUNDTRUTH_CATALOGUE", database_url)
    load_settings.cache_clear()
    yield load_settings()
    load_settings().catalog.close()
    load_settings.cache_clear()


def ingested(settings: Settings, manifest: Path) -> tuple[list[str], dict[str, str]]:
    """The addresses of the images that were kept, and what was set aside with its reason."""
    for batch in list_pictures.fn(str(manifest), None):
        ingest_batch.fn(batch)
    with settings.catalog.read() as transaction:
        kept = transaction.scalars(select(ImageSource.uri)).all()
        aside = {row.uri: row.reason for row in transaction.scalars(select(SetAside))}
    return sorted(kept), aside


def picture(path: Path) -> None:
    buffer = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())


def test_hostile_rows_are_set_aside_and_the_others_are_kept(
    settings: Settings, tmp_path: Path
) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "secret.png")
    photos = tmp_path / "photos"
    photos.mkdir()
    picture(photos / "a.png")
    hostile = [
        "../secret.png",
        "/etc/passwd",
        "http://169.254.169.254/latest/meta-data/iam",
        "simplecache::https://example.com/a.png",
        "s3://elsewhere/a.png",
        "a.png\0.jpg",
        "\ud800.jpg",
        "x" * 5000,
        "'; DROP TABLE image; --",
        "http://127.0.0.1:1/a.png",
    ]
    rows = [{"uri": uri, "locale": "de-DE"} for uri in (*hostile, "a.png")]
    (photos / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))

    kept, aside = ingested(settings, photos / "m.jsonl")

    assert kept == [str(photos / "a.png")]
    assert len(aside) == len(hostile)


def test_a_file_whose_name_is_not_utf8_is_set_aside(settings: Settings, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    picture(photos / "a.png")
    os.link(photos / "a.png", os.fsencode(photos) + b"/caf\xe9.png")

    for batch in list_pictures.fn(str(photos), "de-DE"):
        ingest_batch.fn(batch)

    with settings.catalog.read() as transaction:
        [aside] = transaction.scalars(select(SetAside))
    assert aside.uri.endswith("caf\\udce9.png")
    assert "rename it" in aside.reason


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("https://user:hush@host/a.jpg?X-Amz-Signature=hush#hush", "https://host/a.jpg"),
        ("https://a@b:hush@host", "https://host"),
        ("photos/a.jpg\nnext line", "photos/a.jpg\\nnext line"),
    ],
)
def test_a_log_shows_neither_logins_nor_signatures_and_one_line(uri: str, said: str) -> None:
    assert shown(uri) == said


def test_what_a_task_hands_on_shows_no_address() -> None:
    """Prefect logs what a task returns, at DEBUG."""
    signed = "https://host/a.jpg?X-Amz-Signature=hush"
    assert "hush" not in repr(Listing(signed, "de-DE", "photos"))
    assert "hush" not in repr(Ingested(set_aside=((signed, "gone"),)))
