"""Every layout gives the version back, byte for byte, and others can read it."""

import json
import os
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as Pixels

from catalog import content_digest, images, labels, removals, training_sets
from catalog.exports import LAYOUTS, About, DamagedExport, ExportError, Stamp, export, read_back
from catalog.exports.errors import require
from catalog.schema import Image, ImageSource, TrainingSet
from tests.catalog.rows import Bench

ABOUT = About(
    name="Shelf <photos>",
    description="What customers | saw.",
    licence="CC-BY-4.0",
    creator="Example AB",
    citation="Example AB (2026)",
    url="https://data.example/shelf",
)
NAMES = {"de-DE": 'Käse "alt"\n| <b>x</b>', "ar-EG": "شاي", "ja-JP": "牛乳 100%"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'catalogue.sqlite'}"


def photograph(bench: Bench, locale: str, kind: str, number: int) -> str:
    """Keep a picture of one colour; its identity."""
    buffer = BytesIO()
    shade = content_digest(f"{locale} {number}".encode())[:6]
    Pixels.new("RGB", (24, 16), f"#{shade}").save(buffer, kind)
    content = buffer.getvalue()
    identity = content_digest(content)
    bench.blobs.put(images.image_key(identity), content)
    bench.add(
        Image(
            id=identity,
            locale=locale,
            media_type=f"image/{kind.lower()}",
            width=24,
            height=16,
            n_bytes=len(content),
        ),
        ImageSource(
            id=images.source_id(identity, f"{number}"),
            image_id=identity,
            uri=f"/secret/{number}.jpg",
            locale=locale,
            source="shop_one",
            extra={"license": "MIT"} if number == 0 else {},
        ),
    )
    return identity


@pytest.fixture
def version(bench: Bench) -> TrainingSet:
    """Nine images of three products, each named in another script."""
    for locale, name in NAMES.items():
        kinds = ("JPEG", "PNG", "WEBP")
        shown = [photograph(bench, locale, kind, number) for number, kind in enumerate(kinds)]
        bench.label(name, shown, locale)
    with bench.catalog.begin() as transaction:
        return training_sets.commit(transaction, bench.blobs, labels.accepted(transaction))


Write = Callable[..., Path]


@pytest.fixture
def write(bench: Bench, version: TrainingSet, tmp_path: Path) -> Write:
    def written(layout: str, name: str = "export") -> Path:
        folder = tmp_path / name
        export(bench.catalog, bench.blobs, version, folder, layout, ABOUT, lambda: None)
        return folder

    return written


def remove(bench: Bench, image_id: str) -> None:
    with bench.catalog.begin() as transaction:
        removals.record(transaction, {image_id: [1]}, by="lead", reason="a face is on it")
    bench.blobs.delete(images.image_key(image_id))


def files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.mark.parametrize("layout", LAYOUTS)
class TestEveryLayout:
    def test_read_back_gives_the_digest_of_the_version(
        self, layout: str, write: Write, version: TrainingSet
    ) -> None:
        found = read_back(write(layout))
        assert found.digest == version.digest
        assert found.n_images == version.n_images == 9

    def test_the_same_version_gives_the_same_bytes(self, layout: str, write: Write) -> None:
        assert files(write(layout, "one")) == files(write(layout, "two"))

    def test_a_removed_image_is_left_out_and_named_and_the_digest_stays(
        self, layout: str, write: Write, bench: Bench, version: TrainingSet
    ) -> None:
        gone, *_ = training_sets.read(bench.blobs, version)
        content = bench.blobs.get(images.image_key(gone.image_id))
        remove(bench, gone.image_id)
        folder = write(layout)
        found = read_back(folder)
        assert (found.digest, found.n_images) == (version.digest, 8)
        assert found.stamp.n_removed == 1
        assert gone.image_id in (folder / "README.md").read_text()
        assert not any(content in held for held in files(folder).values())

    def test_annotators_and_addresses_stay_at_home(self, layout: str, write: Write) -> None:
        assert not any(b"/secret/" in held for held in files(write(layout)).values())

    def test_file_names_are_safe_everywhere(self, layout: str, write: Write) -> None:
        allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-./") | set("README")
        assert set("".join(files(write(layout)))) <= allowed

    def test_croissant_reads_its_metadata(self, layout: str, write: Write) -> None:
        import mlcroissant

        described = mlcroissant.Dataset(write(layout) / "croissant.json")
        assert described.metadata.name == ABOUT.name
        assert not described.metadata.issues.errors
        assert {each.name for each in described.metadata.record_sets} <= {"labels"}


def load_offline(monkeypatch: pytest.MonkeyPatch, folder: Path, cache: Path, **more: Any) -> Any:
    """What the `datasets` library makes of a folder, in a process that reaches no network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(cache))
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return datasets.load_dataset(str(folder), cache_dir=str(cache), split="train", **more)


class TestOthersReadIt:
    def test_datasets_reads_the_hugging_face_layout(
        self, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: TrainingSet
    ) -> None:
        found = load_offline(monkeypatch, write("huggingface"), tmp_path / "cache")
        assert found.num_rows == version.n_images
        assert set(found["name"]) == set(NAMES.values())
        assert {picture.size for picture in found["image"]} == {(24, 16)}

    def test_datasets_reads_the_image_folder(
        self, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        found = load_offline(monkeypatch, write("imagefolder"), tmp_path / "cache")
        assert set(found["name"]) == set(NAMES.values())
        assert {picture.size for picture in found["image"]} == {(24, 16)}

    def test_the_folders_of_an_image_folder_are_its_products(
        self, write: Write, bench: Bench, version: TrainingSet
    ) -> None:
        expected = {
            (row.product_id, row.image_id) for row in training_sets.read(bench.blobs, version)
        }
        shown = (write("imagefolder") / "train").glob("*/*")
        assert {(file.parent.name, file.stem) for file in shown} == expected

    def test_webdataset_reads_the_shards(self, write: Write, version: TrainingSet) -> None:
        import webdataset

        shards = sorted(map(str, write("webdataset").glob("*.tar")))
        samples = list(webdataset.WebDataset(shards, shardshuffle=False))
        assert len(samples) == version.n_images
        assert {json.loads(sample["json"])["name"] for sample in samples} == set(NAMES.values())
        for sample in samples:
            [content] = [sample[kind] for kind in ("jpeg", "jpg", "png", "webp") if kind in sample]
            assert content_digest(content) == sample["__key__"]

    @pytest.mark.parametrize("layout", ["parquet", "imagefolder", "huggingface"])
    def test_croissant_reads_the_labels(
        self, layout: str, write: Write, bench: Bench, version: TrainingSet
    ) -> None:
        import mlcroissant

        records = mlcroissant.Dataset(write(layout) / "croissant.json").records("labels")
        found = {
            (record["labels/image_id"].decode(), record["labels/name"].decode())
            for record in records
        }
        rows = training_sets.read(bench.blobs, version)
        assert found == {(row.image_id, row.name) for row in rows}


def change_a_picture(folder: Path) -> None:
    picture = next((folder / "train").glob("*/*"))
    picture.write_bytes(picture.read_bytes() + b"\0")


def lose_a_picture(folder: Path) -> None:
    next((folder / "train").glob("*/*")).unlink()


def add_a_picture(folder: Path) -> None:
    picture = next((folder / "train").glob("*/*"))
    shutil.copy(picture, picture.with_name(f"copy{picture.suffix}"))


def rename_a_product(folder: Path) -> None:
    table = folder / "train" / "metadata.jsonl"
    table.write_text(table.read_text().replace("牛乳", "水", 1))


def lose_a_label(folder: Path) -> None:
    table = folder / "train" / "metadata.jsonl"
    first, *rest = table.read_text().splitlines(keepends=True)
    table.write_text("".join(rest))
    (folder / "train" / json.loads(first)["file_name"]).unlink()


def point_outside(folder: Path) -> None:
    (folder.parent / "elsewhere.jpg").write_bytes(b"secret")
    table = folder / "train" / "metadata.jsonl"
    first, *rest = table.read_text().splitlines(keepends=True)
    row = json.loads(first) | {"file_name": "../../elsewhere.jpg"}
    table.write_text("".join([json.dumps(row) + "\n", *rest]))


class TestDamage:
    @pytest.mark.parametrize(
        ("damage", "said"),
        [
            (change_a_picture, "are not those that it is named by"),
            (lose_a_picture, "cannot be read"),
            (add_a_picture, "holds 10 pictures, but 9 are listed"),
            (rename_a_product, "has the digest"),
            (lose_a_label, "has the digest"),
            (point_outside, "lies outside of the export"),
        ],
    )
    def test_is_found_and_said(
        self, write: Write, damage: Callable[[Path], None], said: str
    ) -> None:
        folder = write("imagefolder")
        damage(folder)
        with pytest.raises(DamagedExport, match=said):
            read_back(folder)

    def test_a_changed_byte_in_a_shard_is_found(self, write: Write, bench: Bench) -> None:
        [shard] = write("webdataset").glob("*.tar")
        held = bytearray(shard.read_bytes())
        held[held.index(b"JFIF")] ^= 1
        shard.chmod(0o644)
        shard.write_bytes(held)
        with pytest.raises(DamagedExport, match="are not those that it is named by"):
            read_back(shard.parent)

    def test_a_label_changed_in_a_table_is_found(self, write: Write) -> None:
        file = write("parquet") / "labels.parquet"
        table = pq.read_table(file)
        names = pa.array(["Gold"] * len(table))
        place = table.column_names.index("name")
        pq.write_table(table.set_column(place, "name", names), file)
        with pytest.raises(DamagedExport, match="has the digest"):
            read_back(file.parent)

    def test_a_folder_that_is_no_export_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match="dataset export"):
            read_back(tmp_path)

    def test_a_layout_of_a_later_version_is_refused(self, write: Write) -> None:
        folder = write("parquet")
        stamp = Stamp.read(folder).model_copy(update={"layout": "holograms"})
        stamp.write(folder)
        with pytest.raises(ExportError, match="holograms"):
            read_back(folder)


class TestWriting:
    def test_a_folder_with_something_in_it_is_refused(self, write: Write, tmp_path: Path) -> None:
        (tmp_path / "export").mkdir()
        (tmp_path / "export" / "mine.txt").write_text("mine")
        with pytest.raises(ExportError, match="not empty"):
            write("parquet")
        assert os.listdir(tmp_path / "export") == ["mine.txt"]

    def test_what_a_killed_export_left_is_cleared_away(self, write: Write, tmp_path: Path) -> None:
        (tmp_path / ".export.partial" / "train").mkdir(parents=True)
        (tmp_path / ".export.partial" / "train" / "half.jpg").write_bytes(b"half")
        folder = write("imagefolder")
        assert files(folder) == files(write("imagefolder", "undisturbed"))
        assert not (tmp_path / ".export.partial").exists()

    @pytest.mark.parametrize(("content", "said"), [(None, "has lost"), (b"other", "were changed")])
    def test_an_image_that_is_not_what_it_was_stops_the_export(
        self,
        write: Write,
        bench: Bench,
        version: TrainingSet,
        tmp_path: Path,
        content: bytes | None,
        said: str,
    ) -> None:
        key = images.image_key(training_sets.read(bench.blobs, version)[4].image_id)
        bench.blobs.delete(key)
        if content is not None:
            bench.blobs.put(key, content)
        with pytest.raises(ExportError, match=said):
            write("parquet")
        assert not (tmp_path / "export").exists()

    def test_a_missing_library_says_what_to_install(self) -> None:
        with pytest.raises(ExportError, match=r"pip install groundtruth\[exports\]"):
            require("a_library_that_nobody_wrote")


class TestCard:
    def test_it_says_licence_origin_and_holdout_and_escapes_what_people_typed(
        self, write: Write
    ) -> None:
        card = (write("parquet") / "README.md").read_text()
        assert "# Shelf &lt;photos&gt;, version 1" in card
        assert r"What customers \| saw." in card
        assert "The whole: CC-BY-4.0 (SPDX)." in card
        assert "| MIT | 3 |" in card
        assert r"| shop\_one | 9 |" in card
        assert "| ja-JP | 3 | 1 | 3 | 0 |" in card

    def test_its_front_matter_is_what_the_hub_reads(self, write: Write) -> None:
        import yaml

        _, front, _ = (write("huggingface") / "README.md").read_text().split("---\n", 2)
        found = yaml.safe_load(front)
        assert found["license"] == "cc-by-4.0"
        assert found["language"] == ["ar", "de", "ja"]
        assert found["configs"][0]["data_files"][0]["split"] == "train"

    def test_without_a_licence_it_says_that_nobody_may_use_it(
        self, bench: Bench, version: TrainingSet, tmp_path: Path
    ) -> None:
        folder = tmp_path / "export"
        export(bench.catalog, bench.blobs, version, folder, "parquet", About(), lambda: None)
        assert "No licence is stated" in (folder / "README.md").read_text()

    def test_a_licence_that_is_no_spdx_expression_is_refused(self) -> None:
        with pytest.raises(ValueError, match="SPDX"):
            About(licence="do what you like; <b>")
