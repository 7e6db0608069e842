"""Real images are read with their classes, split by class, and embedded once."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from benchmarks import domains
from benchmarks.domains import ALPHABETS, SPLITS, glyphs, load, products

PRODUCTS = {"Fruit": ("Apple", "Kiwi", "Lime", "Pear"), "Packages": ("Juice", "Milk")}
PHOTOS = 3


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Photos of six products, and three drawings of each of two characters of every alphabet."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)

    def picture(path, mode):
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (12, 10, 3) if mode == "RGB" else (12, 10)
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8), mode).save(path)

    rows = [
        {"file": f"images/{name}{n}.png", "product": name, "group": name, "department": department}
        for department, names in PRODUCTS.items()
        for name in names
        for n in range(PHOTOS)
    ]
    for row in rows:
        picture(folder / "grocery" / row["file"], "RGB")
    with (folder / "grocery" / "truth.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    for alphabet in ALPHABETS:
        for character in ("character01", "character02"):
            for n in range(PHOTOS):
                picture(folder / "omniglot" / alphabet / character / f"{n}.png", "L")
    return folder


def classes(pictures):
    return {name for _, name in pictures}


def test_products_are_those_of_the_departments_asked_for(data):
    assert classes(products(data, "Packages")) == set(PRODUCTS["Packages"])
    assert classes(products(data, "Fruit", "Packages")) == set(sum(PRODUCTS.values(), ()))


def test_a_character_is_a_class_of_its_own_in_each_alphabet(data):
    pictures = glyphs(data, "Greek", "Latin")
    assert len(pictures) == 2 * 2 * PHOTOS
    assert classes(pictures) == {
        f"{alphabet}/character0{n}" for alphabet in ("Greek", "Latin") for n in (1, 2)
    }


@pytest.mark.parametrize("name", SPLITS)
def test_no_class_and_no_image_is_both_learnt_and_clustered(data, name):
    learnt = SPLITS[name].train(data)
    for pictures in SPLITS[name].tests.values():
        assert pictures(data)
        assert classes(learnt).isdisjoint(classes(pictures(data)))
        assert {path for path, _ in learnt}.isdisjoint(path for path, _ in pictures(data))


@pytest.fixture(scope="module")
def features(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domains, "EPOCHS", 1)
        patch.setattr(domains, "SIDE", 16)
        domains.embed(data, folder, "fruit")
    return load(folder, "fruit")


def test_every_test_image_has_a_unit_feature_and_its_class(features):
    rows, numbers = features.tests["packages"]
    assert list(features.tests) == list(SPLITS["fruit"].tests)
    assert rows.dtype == np.float32
    assert np.bincount(numbers).tolist() == [PHOTOS] * len(PRODUCTS["Packages"])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-5)


def test_whole_classes_make_up_the_half_that_methods_learn_from(features):
    found, counts = np.unique(features.unseen_classes, return_counts=True)
    assert len(found) == len(PRODUCTS["Fruit"]) // 2
    assert counts.tolist() == [PHOTOS] * len(found)
    assert len(features.unseen) == len(features.unseen_classes)
    np.testing.assert_allclose(np.linalg.norm(features.unseen, axis=1), 1.0, rtol=1e-5)
