"""The sample is deterministic, speaks each locale's script and gives nothing away."""

from __future__ import annotations

import csv
import io
import unicodedata
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deployments.sample import LOCALES, Sample, write
from deployments.sample.camera import photograph
from deployments.sample.catalogue import Product, catalogue, products, random_for
from deployments.sample.lettering import font, fonts, shaped

SMALL = {
    "locales": ("de-DE", "ar-EG"),
    "labelled_products": 3,
    "new_products": 2,
    "images_per_product": 2,
    "rounds": 2,
}
SCRIPTS = {
    "en-US": ("LATIN",),
    "de-DE": ("LATIN",),
    "sv-SE": ("LATIN",),
    "ja-JP": ("HIRAGANA", "KATAKANA", "CJK"),
    "ar-EG": ("ARABIC",),
}
UNITS = {"g", "ml"}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return write(tmp_path_factory.mktemp("sample"), **SMALL, seed=0)


def rows(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def manifests(sample: Sample) -> list[Path]:
    return [sample.labelled, *sample.rounds, sample.truth]


def seen_in(sample: Sample, number: int) -> set[tuple[str, str]]:
    """The products whose readable pictures are in round ``number``."""
    uris = {row["uri"] for row in rows(sample.rounds[number - 1])}
    return {(r["locale"], r["product"]) for r in rows(sample.truth) if r["uri"] in uris}


def catalogue_of(locale: str) -> tuple[Product, ...]:
    return products(locale, 7, (60,))[0]


def test_the_same_seed_gives_the_same_bytes(sample: Sample, tmp_path: Path) -> None:
    again = write(tmp_path / "again", **SMALL, seed=0)
    assert contents(again.directory) == contents(sample.directory)


def test_another_seed_gives_other_pictures(sample: Sample, tmp_path: Path) -> None:
    other = write(tmp_path / "other", **SMALL, seed=1)
    pictures = {data for name, data in contents(sample.directory).items() if "/" in name}
    others = {data for name, data in contents(other.directory).items() if "/" in name}
    shared = pictures & others
    assert all(not data.startswith(b"\xff\xd8") for data in shared)


def test_a_second_write_touches_no_file(sample: Sample) -> None:
    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in sample.directory.rglob("*")}

    before = times()
    assert write(sample.directory, **SMALL, seed=0) == sample
    assert times() == before


def test_an_interrupted_write_is_completed_by_repeating_it(sample: Sample, tmp_path: Path) -> None:
    half = write(tmp_path / "half", **SMALL, seed=0)
    for path in [*sorted(half.directory.glob("*/*.jpg"))[::2], half.truth, half.rounds[1]]:
        path.unlink()
    write(half.directory, **SMALL, seed=0)
    assert contents(half.directory) == contents(sample.directory)


def test_a_directory_with_another_sample_is_refused_and_kept(sample: Sample) -> None:
    before = contents(sample.directory)
    with pytest.raises(FileExistsError, match="other arguments"):
        write(sample.directory, **SMALL, seed=5)
    assert contents(sample.directory) == before


def test_an_unknown_locale_is_named_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'fi-FI'.*de-DE"):
        write(tmp_path / "new", **{**SMALL, "locales": ("fi-FI",)}, seed=0)
    assert not (tmp_path / "new").exists()


def test_manifests_name_files_that_exist(sample: Sample) -> None:
    for manifest in manifests(sample):
        assert rows(manifest)
        assert all((manifest.parent / row["uri"]).is_file() for row in rows(manifest))


def test_manifests_name_every_picture_once(sample: Sample) -> None:
    named = [row["uri"] for m in (sample.labelled, *sample.rounds) for row in rows(m)]
    pictures = {str(p.relative_to(sample.directory)) for p in sample.directory.rglob("*.jpg")}
    assert len(named) == len(set(named))
    assert set(named) == pictures


def test_products_of_the_rounds_are_disjoint_from_the_labelled_ones(sample: Sample) -> None:
    labelled = {(row["locale"], row["product"]) for row in rows(sample.labelled)}
    new = {(row["locale"], row["product"]) for row in rows(sample.truth)}
    assert labelled.isdisjoint(new)


def test_round_two_mixes_new_products_with_known_ones(tmp_path: Path) -> None:
    sample = write(
        tmp_path,
        locales=("en-US",),
        labelled_products=1,
        new_products=8,
        images_per_product=1,
        rounds=2,
        seed=0,
    )
    first, second = seen_in(sample, 1), seen_in(sample, 2)
    assert len(first) == 8
    assert len(second - first) == 8
    assert 0 < len(second & first) < 8


def test_round_manifests_and_file_names_do_not_tell_the_product(sample: Sample) -> None:
    truth = {row["uri"]: row for row in rows(sample.truth)}
    for manifest in sample.rounds:
        listed = rows(manifest)
        assert all(set(row) == {"uri", "locale"} for row in listed)
        assert all(set(Path(row["uri"]).stem) <= set("0123456789abcdef") for row in listed)
        assert [row["uri"] for row in listed] == sorted(row["uri"] for row in listed)
        known = [truth[row["uri"]]["product"] for row in listed if row["uri"] in truth]
        neighbours = sum(a == b for a, b in pairwise(known))
        assert neighbours < len(known) - len(set(known))


def test_round_one_has_a_file_twice_a_cut_jpeg_and_a_text(sample: Sample) -> None:
    readable = {row["uri"] for row in rows(sample.truth)}
    files = {row["uri"]: sample.directory / row["uri"] for row in rows(sample.rounds[0])}
    data = [files[uri].read_bytes() for uri in files if uri in readable]
    assert len(data) - len(set(data)) == 1
    broken = [files[uri].read_bytes() for uri in files if uri not in readable]
    assert len(broken) == 2
    assert sum(bytes_.startswith(b"\xff\xd8") for bytes_ in broken) == 1
    for bytes_ in broken:
        with pytest.raises(OSError, match=r"truncated|cannot identify"):
            Image.open(io.BytesIO(bytes_)).load()


def test_every_picture_with_a_product_can_be_read(sample: Sample) -> None:
    for manifest in (sample.labelled, sample.truth):
        for row in rows(manifest):
            with Image.open(manifest.parent / row["uri"]) as picture:
                picture.load()
                assert picture.format == "JPEG"
                assert picture.mode == "RGB"


@pytest.mark.parametrize("locale", LOCALES)
def test_names_are_unique_in_nfc_and_in_the_script_of_their_locale(locale: str) -> None:
    names = [product.name for product in catalogue_of(locale)]
    assert len(set(names)) == len(names)
    for name in names:
        assert unicodedata.is_normalized("NFC", name)
        letters = {c for word in name.split() if word not in UNITS for c in word if c.isalpha()}
        assert letters
        assert all(unicodedata.name(letter).startswith(SCRIPTS[locale]) for letter in letters)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_letter_on_a_package_is_in_its_fonts(locale: str) -> None:
    for product in catalogue_of(locale):
        text = (product.brand.name, product.line, product.kind_word, product.flavour_word,
                product.size, product.design.claim)  # fmt: skip
        for name in fonts(locale):
            face = font(name, 32)
            missing = bytes(face.getmask("\U0010fffe"))
            for letter in set(shaped("".join(text))) - {" "}:
                assert bytes(face.getmask(letter)) != missing, (name, letter)


@pytest.mark.parametrize("locale", LOCALES)
def test_siblings_differ_in_one_detail(locale: str) -> None:
    for siblings in islice(catalogue(locale, 7), 30):
        details = [
            {p.flavour for p in siblings},
            {p.strength for p in siblings},
            {p.size for p in siblings},
        ]
        assert sorted(map(len, details)) == [1, 1, len(siblings)]
        assert len({(p.brand, p.design, p.form) for p in siblings}) == 1


def test_arabic_is_joined_and_runs_from_right_to_left() -> None:
    assert shaped("نور") == "\ufead\ufeee\ufee7"
    assert shaped("سلام") == "\ufee1\ufefc\ufeb3"
    assert shaped("٢٥٠ جم") == "\ufee2\ufe9f ٢٥٠"


def test_text_in_other_scripts_is_left_as_it_is() -> None:
    assert shaped("Käse 3,5 %") == "Käse 3,5 %"


def test_pictures_of_one_product_differ_more_than_their_mean_colour() -> None:
    product = catalogue_of("sv-SE")[0]

    def thumbnail(take: int) -> np.ndarray:
        photo = Image.open(io.BytesIO(photograph(product, random_for(take))))
        return np.asarray(photo.convert("L").resize((16, 16)), dtype=float).ravel()

    correlations = np.corrcoef([thumbnail(take) for take in range(12)])
    assert np.median(correlations[np.triu_indices(12, 1)]) < 0.7
