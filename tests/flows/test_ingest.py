"""What can be used is kept once; what cannot is set aside with a reason, and nothing is lost."""

import csv
import json
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from catalog import images, labels
from catalog.manifest import Listing, ManifestError
from catalog.schema import ImageSource, SetAside
from flows.ingest import ingest
from tasks.ingest import list_pictures
from tests.flows.conftest import Workspace


def jpeg(seed: int, size: tuple[int, int] = (64, 48)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(3):
        (photos / f"{seed}.jpg").write_bytes(jpeg(seed))
    return photos


def write_manifest(path: Path, rows: list[dict[str, str]]) -> str:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def reasons(workspace: Workspace) -> dict[str, str]:
    with workspace.settings.catalog.begin() as transaction:
        return {row.uri: row.reason for row in transaction.query(SetAside)}


def test_the_same_folder_twice_adds_nothing(workspace: Workspace, folder: Path) -> None:
    assert ingest(str(folder), "de-DE").n_new == 3
    before = workspace.fingerprint()
    again = ingest(str(folder), "de-DE")
    assert (again.n_new, again.n_known) == (0, 3)
    assert workspace.fingerprint() == before


def test_exact_duplicates_are_one_image_with_two_sources(
    workspace: Workspace, folder: Path
) -> None:
    (folder / "copy.jpg").write_bytes((folder / "0.jpg").read_bytes())
    assert ingest(str(folder), "de-DE").n_new == 3
    with workspace.settings.catalog.begin() as transaction:
        assert transaction.query(ImageSource).count() == 4


def test_a_picture_of_two_locales_gets_the_one_listed_first_however_slow_that_is(
    workspace: Workspace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowShop(type(workspace.settings.ingest)):  # type: ignore[misc]
        def read(self, listing: Listing) -> bytes:
            if listing.source == "slow shop":
                time.sleep(2.0)
            content: bytes = super().read(listing)
            return content

    slow = SlowShop.model_validate(workspace.settings.ingest.model_dump())
    monkeypatch.setattr(workspace.settings, "ingest", slow)
    monkeypatch.setattr("tasks.ingest.load_settings", lambda: workspace.settings)
    (folder / "copy.jpg").write_bytes((folder / "0.jpg").read_bytes())
    monkeypatch.setattr("tasks.ingest.BATCH", 1)
    manifest = write_manifest(
        tmp_path / "new.csv",
        [
            {"uri": "photos/0.jpg", "locale": "sv-SE", "source": "slow shop"},
            {"uri": "photos/copy.jpg", "locale": "de-DE", "source": "shop"},
        ],
    )
    assert ingest(manifest).n_new == 1
    with workspace.settings.catalog.begin() as transaction:
        assert images.counts(transaction) == {"sv-SE": 1}


def test_batches_are_of_one_locale_each_and_those_of_a_locale_follow_one_another(
    workspace: Workspace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.ingest.BATCH", 2)
    rows = ["sv-SE", "xx-1", "de-DE", "sv-SE", "sv-SE", "de-DE", "xx-2"]
    manifest = write_manifest(
        tmp_path / "new.csv", [{"uri": "photos/0.jpg", "locale": locale} for locale in rows]
    )
    batches = list_pictures.fn(manifest, None)
    assert [[each.locale for each in batch] for batch in batches] == [
        ["sv-SE", "sv-SE"],
        ["sv-SE"],
        ["xx-1", "xx-2"],
        ["de-DE", "de-DE"],
    ]


def test_a_corrupt_jpeg_is_set_aside_and_the_rest_is_kept(
    workspace: Workspace, folder: Path
) -> None:
    (folder / "cut.jpg").write_bytes(jpeg(9)[:700])
    (folder / "notes.jpg").write_text("not a picture")
    found = ingest(str(folder), "de-DE")
    assert found.n_new == 3
    why = {Path(uri).name: reason for uri, reason in reasons(workspace).items()}
    assert why.keys() == {"cut.jpg", "notes.jpg"}
    assert why["cut.jpg"].startswith("damaged")
    assert why["notes.jpg"].startswith("not a picture")


def test_a_picture_with_too_many_pixels_is_never_decoded(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "huge.jpg").write_bytes(jpeg(1, size=(2000, 1500)))
    monkeypatch.setattr(workspace.settings.ingest, "max_pixels", 1_000_000)
    monkeypatch.setattr("tasks.ingest.load_settings", lambda: workspace.settings)
    ingest(str(folder), "de-DE")
    [reason] = reasons(workspace).values()
    assert reason == "2000 x 1500 pixels are more than the 1,000,000 allowed"


def test_a_manifest_row_with_an_unknown_locale_is_set_aside_by_its_number(
    workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    manifest = write_manifest(
        tmp_path / "new.csv",
        [
            {"uri": "photos/0.jpg", "locale": "de-DE"},
            {"uri": "photos/1.jpg", "locale": "xx-XX"},
            {"uri": "photos/gone.jpg", "locale": "sv-SE"},
        ],
    )
    assert ingest(manifest).n_new == 1
    found = sorted(reasons(workspace).values())
    assert found[0].startswith(f"{manifest} row 2: locale 'xx-XX' has no annotators here")
    assert found[1] == "there is no such file"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_kind_of_manifest_keeps_labels_times_and_further_columns(
    workspace: Workspace, folder: Path, tmp_path: Path, suffix: str
) -> None:
    rows = [
        {
            "uri": "photos/0.jpg",
            "locale": "ja-JP",
            "product": "緑茶 500 ml",
            "source": "shop 7",
            "captured_at": "2026-03-01T09:00:00+09:00",
            "shelf": "B2",
        }
    ]
    manifest = tmp_path / f"labelled{suffix}"
    if suffix == ".csv":
        write_manifest(manifest, rows)
    elif suffix == ".jsonl":
        manifest.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        pd.DataFrame(rows).to_parquet(manifest)
    assert ingest(str(manifest)).n_labelled == 1
    with workspace.settings.catalog.begin() as transaction:
        [label] = labels.unjudged(transaction)
        source = transaction.query(ImageSource).one()
        assert images.counts(transaction) == {"ja-JP": 1}
    assert (label.name, label.origin) == ("緑茶 500 ml", "manifest")
    assert source.captured_at is not None
    assert source.captured_at.isoformat() == "2026-03-01T00:00:00+00:00"
    assert (source.source, source.extra) == ("shop 7", {"shelf": "B2"})


def test_the_inbox_holds_a_folder_for_each_locale(workspace: Workspace, folder: Path) -> None:
    inbox = workspace.settings.data / "inbox" / "sv-SE"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "a.jpg").write_bytes(jpeg(77))
    assert ingest().n_new == 1
    with workspace.settings.catalog.begin() as transaction:
        assert images.counts(transaction) == {"sv-SE": 1}


@pytest.mark.parametrize(
    ("source", "locale", "message"),
    [
        ("photos", None, "its pictures need a locale"),
        ("photos", "xx-XX", "has no annotators here"),
        ("nowhere", "de-DE", "there is no folder"),
        ("nowhere.csv", None, "there is no manifest"),
        ("new.csv", None, "has no column locale"),
        ("new.csv", "de-DE", "leave `locale` out"),
    ],
)
def test_a_source_that_cannot_be_read_says_what_to_mend(
    workspace: Workspace, folder: Path, source: str, locale: str | None, message: str
) -> None:
    write_manifest(folder.parent / "new.csv", [{"uri": "photos/0.jpg"}])
    with pytest.raises(ManifestError, match=message):
        ingest(str(folder.parent / source), locale)
