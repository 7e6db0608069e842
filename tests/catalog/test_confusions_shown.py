"""Products that were taken for one another are shown with their pictures, to vendors and to all."""

from io import BytesIO

import pytest
from PIL import Image

from catalog.images import preview_key
from catalog.schema import Verdict
from tasks.confusion import Taken, confused, confusion_sections, taken
from tests.catalog.rows import Bench
from tests.catalog.test_confusions import WEEK, Shop
from tests.catalog.test_confusions import shop as shop


def preview(colour: str) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 64), colour).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def image(shop: Shop) -> dict[str, str]:
    """Pictures of tea and salt, of which one of tea was taken for salt by vendor-b."""
    image = shop.products(tea="abc", salt="x")
    gold = shop.ask(*image.values(), expected={"verdict": "confirm", "intruder_ids": [image["x"]]})
    shop.answer(gold, Verdict.CONFIRM, image["a"], image["x"])
    return image


def counted(bench: Bench) -> Taken:
    with bench.catalog.read() as transaction:
        return taken(transaction, WEEK)


def test_a_vendor_is_shown_what_it_confused_with_the_pictures(
    bench: Bench, image: dict[str, str]
) -> None:
    for letter, colour in (("a", "green"), ("b", "green"), ("c", "green"), ("x", "white")):
        bench.blobs.put(preview_key(image[letter]), preview(colour))
    found = counted(bench)
    [pair] = confused(found, "vendor-b", bench.blobs)
    assert (pair.one, pair.other, pair.n) == ("Salt", "Tea", 1)
    assert (pair.picture_of_one, pair.picture_of_other) == (preview("white"), preview("green"))
    assert confused(found, "vendor-a", bench.blobs) == ()
    assert "data:image/jpeg" in confusion_sections(found, bench.blobs)[-1]


def test_a_picture_that_is_not_there_is_left_out(bench: Bench, image: dict[str, str]) -> None:
    found = counted(bench)
    [pair] = confused(found, "vendor-b", bench.blobs)
    assert (pair.picture_of_one, pair.picture_of_other) == (None, None)
    rates, pairs = confusion_sections(found, bench.blobs)
    assert "vendor-b" in rates
    assert "Salt" in pairs
