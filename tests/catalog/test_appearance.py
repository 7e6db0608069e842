"""Each measure says what its name says, of any picture that can be ingested."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import ExifTags, Image, ImageEnhance, ImageFilter, ImageOps

from catalog.appearance import measure
from catalog.pictures import read_picture
from catalog.schema import ImageMeasures


def photo(seed: int = 0, size: tuple[int, int] = (300, 240)) -> Image.Image:
    """Something with detail of every scale, as photos have, and a camera's noise."""
    random = np.random.default_rng(seed)
    picture = np.zeros((size[1], size[0], 3))
    for side in (3, 8, 24, 80, 300):
        coarse = Image.fromarray(random.integers(0, 255, (side, side, 3), dtype=np.uint8))
        picture += np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)) / 5
    return ImageOps.autocontrast(Image.fromarray(picture.astype(np.uint8)))


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def measured(content: bytes) -> ImageMeasures:
    read = read_picture(content, max_pixels=10_000_000, preview_side=320)
    return measure(read.id, content, read.preview)


def bits_between(first: ImageMeasures, second: ImageMeasures) -> int:
    return (int(first.perceptual_hash, 16) ^ int(second.perceptual_hash, 16)).bit_count()


@settings(max_examples=40)
@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(8, 40), st.integers(8, 40), st.just(3)),
        elements=st.integers(0, 255),
    )
)
def test_every_picture_that_can_be_ingested_has_measures_in_their_bounds(
    pixels: np.ndarray[Any, Any],
) -> None:
    found = measured(encoded(Image.fromarray(pixels)))
    shares = (found.brightness, found.contrast, found.clipped, found.border, found.flat)
    assert all(0 <= share <= 1 for share in shares)
    assert np.isfinite(found.sharpness)
    assert len(found.perceptual_hash) == 16


@pytest.mark.parametrize("seed", range(3))
def test_blur_lowers_the_sharpness_step_by_step_and_poor_contrast_does_not(seed: int) -> None:
    picture = photo(seed)
    sharp, *blurred = (
        measured(encoded(picture.filter(ImageFilter.GaussianBlur(radius)))).sharpness
        for radius in (0, 1, 2, 4)
    )
    assert blurred == sorted(blurred, reverse=True)
    assert blurred[0] < sharp
    pale = measured(encoded(ImageEnhance.Contrast(picture).enhance(0.5)))
    assert pale.sharpness == pytest.approx(sharp, rel=0.15)


def test_a_darker_picture_is_darker_and_a_paler_one_has_less_contrast() -> None:
    plain = measured(encoded(photo()))
    dark = measured(encoded(ImageEnhance.Brightness(photo()).enhance(0.5)))
    pale = measured(encoded(ImageEnhance.Contrast(photo()).enhance(0.5)))
    assert dark.brightness == pytest.approx(plain.brightness / 2, abs=0.01)
    assert pale.contrast == pytest.approx(plain.contrast / 2, abs=0.02)


def test_a_picture_of_one_colour_is_flat_all_border_and_neither_sharp_nor_of_any_contrast() -> None:
    found = measured(encoded(Image.new("RGB", (200, 200), (90, 120, 30))))
    assert (found.sharpness, found.contrast, found.border, found.flat) == (0, 0, 1, 1)


def test_black_bars_are_a_border_of_their_area() -> None:
    framed = Image.new("RGB", (224, 224))
    framed.paste(photo(size=(224, 112)), (0, 56))
    found = measured(encoded(framed))
    assert found.border == pytest.approx(0.5, abs=0.02)
    assert found.clipped == pytest.approx(0.5, abs=0.05)
    assert measured(encoded(photo())).border == 0


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 90, 97])
def test_the_quality_of_a_jpeg_is_read_from_its_quantisation_table(quality: int) -> None:
    found = measured(encoded(photo(), "JPEG", quality=quality))
    assert found.jpeg_quality == pytest.approx(quality, abs=1)


def test_other_formats_have_no_jpeg_quality() -> None:
    assert measured(encoded(photo(), "WEBP")).jpeg_quality is None


def screen() -> Image.Image:
    """A page of a shop on a telephone: a picture, and white around it."""
    page = Image.new("RGB", (390, 844), "white")
    page.paste(photo(size=(350, 350)), (20, 120))
    return page


def test_a_screen_that_no_camera_took_is_a_screenshot() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Phone 5"
    assert measured(encoded(screen())).screenshot
    assert not measured(encoded(screen(), "JPEG", exif=exif)).screenshot
    assert not measured(encoded(photo(size=(390, 844)))).screenshot
    assert not measured(encoded(screen().resize((400, 400)))).screenshot


def test_a_picture_whose_metadata_call_it_a_screenshot_is_one() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"ASCII\0\0\0Screenshot"
    assert measured(encoded(photo(), "JPEG", exif=exif)).screenshot


@pytest.mark.parametrize("seed", range(3))
def test_near_duplicates_differ_in_few_bits_of_the_hash_and_others_in_many(seed: int) -> None:
    picture = photo(seed)
    original = measured(encoded(picture))
    for again in (
        encoded(picture, "JPEG", quality=40),
        encoded(picture.resize((150, 120))),
        encoded(ImageEnhance.Brightness(picture).enhance(0.8)),
    ):
        assert bits_between(original, measured(again)) <= 8
    assert bits_between(original, measured(encoded(photo(seed + 10)))) > 15
