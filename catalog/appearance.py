"""How a picture looks, in numbers.

All but the compression and what a camera wrote are measured on the preview, brought to one size:
that is what the encoder and the annotators see, and so pictures of any resolution compare. The
resolution itself is the image's width and height.
"""

from functools import cache
from io import BytesIO

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from scipy import ndimage

from catalog.pictures import FORMATS
from catalog.schema import ImageMeasures

SIDE = 224
"""Pixels of the longest side that a preview is measured at; smaller ones are not enlarged."""

NEARLY = 4 / 255
"""Grey levels that are as good as black, or as white."""

ONE_COLOUR = 16
"""Grey levels within a row or column of a border: what JPEG makes of one colour."""

FLAT = 2
"""Grey levels within a block without any texture; a camera's noise alone is more."""

BLOCK = 8
"""Pixels of the side of such a block."""

SCREENS_FROM = 16 / 9
"""Longer over shorter side from which a picture may be a whole screen."""

FLAT_ON_SCREENS = 0.25
"""Part of a screen that is without texture, at least."""

ROUNDING = 20 * (2 / 255) ** 2 / 12
"""Variance of the Laplacian, whose weights have 20 as their sum of squares, of nothing but rounding
to two grey levels, as a preview's JPEG does."""

LARGEST_STEP = 255
"""Of a quantisation table; where it is reached, more was meant."""


def measure(image_id: str, content: bytes, preview: bytes) -> ImageMeasures:
    """Measure the picture `content`, of which `catalog.pictures.read_picture` made `preview`.

    Returns
    -------
    ImageMeasures
        sharpness: variance of the Laplacian, less what rounding alone makes, over the variance of
        the grey levels, so that poor contrast is not taken for blur; >= 0, and 0 of one grey.
        brightness: mean grey level, 0 to 1.
        contrast: grey levels from the 1st to the 99th percentile, 0 to 1.
        clipped: share of the pixels that are as good as black or white.
        border: share of the area in rows and columns at the edges that are of one colour.
        flat: share of the area in blocks of 8 x 8 pixels without any texture.
        screenshot: its metadata say so, or it has a screen's shape, much of it is flat, and no
        camera put its name to it.
        jpeg_quality: 1 to 100 as the IJG's library counts, from the quantisation table; None for
        other formats.
        perceptual_hash: 64 bits of the discrete cosine transform as hexadecimal digits
        (`imagehash.phash`); few of them differ between near-duplicates.
    """
    with Image.open(BytesIO(content), formats=FORMATS) as original:
        width, height = original.size
        tables: dict[int, list[int]] = getattr(original, "quantization", {})
        has_camera, said = _metadata(original)
    with Image.open(BytesIO(preview), formats=("JPEG",)) as picture:
        perceptual_hash = str(imagehash.phash(picture))
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        grey = np.asarray(picture.convert("L"))
    level = grey / 255
    flat = _flat(grey)
    is_screen = (
        not has_camera
        and max(width, height) >= SCREENS_FROM * min(width, height) * 0.99
        and flat >= FLAT_ON_SCREENS
    )
    low, high = np.percentile(level, (1, 99))
    return ImageMeasures(
        image_id=image_id,
        sharpness=_sharpness(level),
        brightness=float(level.mean()),
        contrast=float(high - low),
        clipped=float(((level <= NEARLY) | (level >= 1 - NEARLY)).mean()),
        border=_border(grey),
        flat=flat,
        screenshot=bool(is_screen or "screenshot" in said.lower()),
        jpeg_quality=_jpeg_quality(next(iter(tables.values()))) if tables else None,
        perceptual_hash=perceptual_hash,
    )


def _sharpness(level: NDArray[np.float64]) -> float:
    detail = ndimage.laplace(level).var() - ROUNDING
    return float(max(detail, 0.0) / max(level.var(), ROUNDING))


def _border(grey: NDArray[np.uint8]) -> float:
    kept = 1.0
    for axis in (0, 1):
        is_more = np.ptp(grey, axis=1 - axis) > ONE_COLOUR
        places = np.flatnonzero(is_more)
        kept *= (places[-1] - places[0] + 1) / len(is_more) if len(places) else 0.0
    return 1.0 - kept


def _flat(grey: NDArray[np.uint8]) -> float:
    height, width = (side // BLOCK * BLOCK for side in grey.shape)
    if not height or not width:
        return 0.0
    blocks = grey[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return float((np.ptp(blocks, axis=(1, 3)) <= FLAT).mean())


def _jpeg_quality(luminance: list[int]) -> float:
    """The quality for which the IJG's library scales its standard table to this one."""
    steps = np.array(luminance)
    told = steps < LARGEST_STEP
    if not told.any():
        return 1.0
    scale = 100 * steps[told].sum() / _standard_luminance()[told].sum()
    quality = 5000 / scale if scale > 100 else 100 - scale / 2
    return float(np.clip(quality, 1, 100))


@cache
def _standard_luminance() -> NDArray[np.int64]:
    """The table of ITU-T T.81, annex K, as the library has it: unscaled at quality 50."""
    buffer = BytesIO()
    Image.new("L", (BLOCK, BLOCK)).save(buffer, "JPEG", quality=50)
    with Image.open(buffer, formats=("JPEG",)) as standard:
        return np.array(standard.quantization[0])  # type: ignore[attr-defined]


def _metadata(picture: Image.Image) -> tuple[bool, str]:
    """Whether a camera put its name to it, and what its comments say; damaged ones say nothing."""
    try:
        exif = picture.getexif()
        comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, "")
        text = comment.decode("latin-1") if isinstance(comment, bytes) else str(comment)
        return ExifTags.Base.Model in exif, f"{picture.info.get('comment', '')} {text}"
    except Exception:  # Pillow's readers raise what a damaged file makes them raise
        return False, ""
