"""Measures are kept once for each image, and read together with what the manifests say."""

import numpy as np

from catalog import coverage, labels, measures, removals
from catalog.schema import ImageMeasures, ImageSource
from tests.catalog.rows import Bench


def measures_of(image_id: str, sharpness: float = 0.1) -> ImageMeasures:
    return ImageMeasures(
        image_id=image_id,
        sharpness=sharpness,
        brightness=0.5,
        contrast=0.6,
        clipped=0.0,
        border=0.0,
        flat=0.0,
        screenshot=True,
        jpeg_quality=None,
        perceptual_hash="f0e1d2c3b4a59687",
    )


def list_image(bench: Bench, image_id: str, uri: str, **extra: object) -> None:
    bench.add(ImageSource(id=uri, image_id=image_id, uri=uri, locale="de-DE", extra=extra))


def test_an_image_is_measured_once(bench: Bench) -> None:
    a, b = sorted(bench.ingest("a", "b"))
    with bench.catalog.begin() as transaction:
        assert measures.unmeasured(transaction) == [a, b]
        assert measures.record(transaction, [measures_of(a)]) == 1
        assert measures.record(transaction, [measures_of(a, 0.9)]) == 0
        assert measures.unmeasured(transaction) == [b]
        assert measures.of_locale(transaction, "de-DE")["sharpness"].to_dict() == {a: 0.1}


def test_measures_are_read_by_locale_as_numbers(bench: Bench) -> None:
    [a] = bench.ingest("a")
    [b] = bench.ingest("b", locale="ja-JP")
    bench.add(measures_of(a), measures_of(b))
    with bench.catalog.begin() as transaction:
        found = measures.of_locale(transaction, "ja-JP").loc[b]
        assert len(measures.of_locale(transaction, "ar-EG")) == 0
    assert (found["short_side"], found["screenshot"]) == (480, 1)
    assert np.isnan(found["jpeg_quality"])


def test_hashes_are_those_of_measured_images(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    bench.add(measures_of(a))
    with bench.catalog.begin() as transaction:
        assert measures.hashes(transaction, [a, b]) == {a: "f0e1d2c3b4a59687"}


def test_coverage_knows_the_category_of_the_manifest_and_the_product_of_the_label(
    bench: Bench,
) -> None:
    a, b = bench.ingest("a", "b")
    product = bench.label("Milk", [a])
    list_image(bench, a, "a.jpg", shelf="dairy", aisle=7)
    list_image(bench, b, "b.jpg", aisle=8)
    with bench.catalog.begin() as transaction:
        by_shelf = coverage.of_images(transaction, "shelf")
        by_aisle = coverage.of_images(transaction, "aisle")
        without = coverage.of_images(transaction, None)
    assert by_shelf.loc[a].tolist() == ["de-DE", product, "dairy"]
    assert by_shelf.loc[b].tolist() == ["de-DE", None, None]
    assert by_aisle["category"].to_dict() == {a: "7", b: "8"}
    assert without["category"].isna().all()


def test_an_image_that_was_listed_twice_counts_once(bench: Bench) -> None:
    [a] = bench.ingest("a")
    list_image(bench, a, "1.jpg", shelf="milk")
    list_image(bench, a, "2.jpg", shelf="dairy")
    with bench.catalog.begin() as transaction:
        found = coverage.of_images(transaction, "shelf")
    assert found["category"].tolist() == ["dairy"]


def test_a_label_that_was_withdrawn_counts_for_no_product(bench: Bench) -> None:
    [a] = bench.ingest("a")
    bench.label("Milk", [a])
    with bench.catalog.begin() as transaction:
        [label] = labels.newest(transaction)
    bench.succeed(label, withdrawn=True)
    with bench.catalog.begin() as transaction:
        assert coverage.of_images(transaction, None)["product_id"].tolist() == [None]


def test_an_image_that_was_removed_is_not_there_any_more(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    with bench.catalog.begin() as transaction:
        removals.record(transaction, {a: []}, by="customer", reason="a face")
    with bench.catalog.begin() as transaction:
        assert coverage.of_images(transaction, None).index.tolist() == [b]
