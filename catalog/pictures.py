"""From the bytes of a file to a picture that is safe to keep, or the reason why not.

Nothing is decoded before its declared size is known to be bounded, and only by the decoders of
formats that cameras and shops use.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from catalog.identity import content_digest

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
PREVIEW_QUALITY = 88
SMALLEST_SIDE = 8


class UnusablePicture(ValueError):
    """Bytes that are no picture we can use; the message is the reason."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture: its identity, its size in pixels, and a preview (JPEG, upright, RGB)."""

    id: str
    media_type: str
    width: int
    height: int
    n_bytes: int
    preview: bytes


def read_picture(content: bytes, *, max_pixels: int, preview_side: int) -> Picture:
    """Decode `content`; raises `UnusablePicture` with the reason where that cannot be done."""
    try:
        with warnings.catch_warnings():
            # Pillow's own limit only warns; ours, below, refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content), formats=FORMATS)
        width, height = image.size
        if width * height > max_pixels:
            raise UnusablePicture(
                f"{width} x {height} pixels are more than the {max_pixels:,} allowed"
            )
        if min(width, height) < SMALLEST_SIDE:
            raise UnusablePicture(f"{width} x {height} pixels are too few to show a product")
        media_type = Image.MIME.get(image.format or "", "application/octet-stream")
        preview = _preview(image, preview_side)
    except UnusablePicture:
        raise
    except UnidentifiedImageError as error:
        raise UnusablePicture("not a picture in any of " + ", ".join(FORMATS)) from error
    except Image.DecompressionBombError as error:
        raise UnusablePicture(f"more pixels than the {max_pixels:,} allowed") from error
    except Exception as error:  # Pillow's readers raise what a damaged file makes them raise
        raise UnusablePicture(f"damaged: {error}") from error
    return Picture(content_digest(content), media_type, width, height, len(content), preview)


def preview_pixels(preview: bytes) -> NDArray[np.uint8]:
    """The pixels of a preview as `read_picture` made it: uint8, (height, width, 3)."""
    with Image.open(BytesIO(preview), formats=("JPEG",)) as image:
        return np.asarray(image.convert("RGB"))


def _preview(image: Image.Image, side: int) -> bytes:
    if image.format == "JPEG":
        image.draft("RGB", (side, side))
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((side, side), Image.Resampling.LANCZOS)
    if upright.mode in ("RGBA", "LA", "PA", "P"):
        opaque = upright.convert("RGBA")
        page = Image.new("RGBA", opaque.size, "white")
        upright = Image.alpha_composite(page, opaque)
    buffer = BytesIO()
    # Pillow would carry the comment over, which may be a page or a program.
    upright.convert("RGB").save(buffer, "JPEG", quality=PREVIEW_QUALITY, comment=b"")
    return buffer.getvalue()
