"""From label to package: jars, cans, bottles and tubs turned on a lathe; boxes, cartons, pouches.

``package`` returns the cut-out that the camera photographs: an RGBA image of the package alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, sin
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from .artwork import artwork, shade
from .catalogue import Product
from .icons import FLAVOURS

Corner = tuple[float, float]
BULK = (0.86, 1.0, 1.16)
LABEL_HALF_ANGLE = 1.15


@dataclass(frozen=True)
class Lathed:
    """A round package: its size in pixels, the rows of its label and its outline.

    ``outline`` gives the radius (1 is the widest) at relative heights, from the top; rows above
    ``lid`` have the colour of the lid, the rest around the label that of the contents.
    """

    width: int
    height: int
    label: tuple[float, float]
    lid: float
    outline: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Folded:
    """A box or carton: the size of its front in pixels, its depth, the height of its gable."""

    width: int
    height: int
    depth: int
    gable: int = 0


LATHED = MappingProxyType(
    {
        "can": Lathed(
            150, 230, (0.06, 0.95), 0.06,
            ((0, 0.86), (0.03, 0.92), (0.06, 1), (0.95, 1), (1, 0.92)),
        ),
        "bottle": Lathed(
            156, 280, (0.3, 0.95), 0.1,
            ((0, 0.34), (0.09, 0.34), (0.1, 0.28), (0.14, 0.32), (0.27, 1), (0.97, 1), (1, 0.94)),
        ),
        "jar": Lathed(
            176, 220, (0.27, 0.93), 0.15,
            ((0, 0.84), (0.15, 0.86), (0.16, 0.8), (0.23, 1), (0.96, 1), (1, 0.92)),
        ),
        "tub": Lathed(
            206, 190, (0.08, 0.97), 0.07,
            ((0, 1), (0.06, 1), (0.07, 0.95), (0.97, 0.74), (1, 0.7)),
        ),
    }
)  # fmt: skip
FOLDED = MappingProxyType(
    {"box": Folded(180, 244, 80), "carton": Folded(140, 216, 110, 52)},
)
POUCH = (194, 250)


def package(product: Product, turn: float) -> Image.Image:
    """``product`` turned by ``turn`` radians (-0.6 to 0.6), cut out on transparent ground."""
    if product.form in LATHED:
        return _lathe(product, LATHED[product.form], turn)
    if product.form in FOLDED:
        return _fold(product, FOLDED[product.form], turn)
    return _pouch(product)


def perspective(corners: tuple[Corner, ...], width: int, height: int) -> list[float]:
    """Coefficients for ``Image.transform`` that put a ``width`` x ``height`` image on ``corners``.

    ``corners`` are the places of its top left, top right, bottom right and bottom left.
    """
    sources = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, sources, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(values))]


@lru_cache(maxsize=128)
def _wrap(product: Product, form: Lathed) -> NDArray[np.uint8]:
    """The unrolled surface of a round package: (height, angle, RGB)."""
    height = round(form.height * BULK[product.bulk])
    width = round(form.width * LABEL_HALF_ANGLE)
    contents = shade(FLAVOURS[product.flavour].colour, 0.8)
    lid = "#c9ccd0" if product.form == "can" else product.cap
    wrap = Image.new("RGB", (width, height), contents if product.form != "can" else lid)
    draw = ImageDraw.Draw(wrap)
    draw.rectangle((0, 0, width, form.lid * height), lid)
    draw.line((0, form.lid * height, width, form.lid * height), shade(lid, 0.6), 2)
    top, bottom = (round(part * height) for part in form.label)
    wrap.paste(artwork(product, width, bottom - top), (0, top))
    return np.asarray(wrap)


def _lathe(product: Product, form: Lathed, turn: float) -> Image.Image:
    """A surface of revolution: each pixel of a row at radius r looks at angle asin(x / r)."""
    wrap = _wrap(product, form)
    height, around = wrap.shape[:2]
    bend = form.width * 0.045
    x = np.arange(form.width, dtype=np.float32)[None, :] - np.float32((form.width - 1) / 2)
    y = np.arange(height + round(bend), dtype=np.float32)[:, None]
    heights, radii = np.array(form.outline).T
    radius = np.interp(y, heights * height, radii * form.width / 2).astype(np.float32)
    across = np.clip(x / radius, -1, 1)
    facing = np.sqrt(1 - across**2)
    row = y - np.float32(bend) * facing
    column = (np.arcsin(across) + np.float32(0.6 * turn)) * np.float32(
        around / 2 / LABEL_HALF_ANGLE
    ) + np.float32(around / 2)
    place = np.clip(row, 0, height - 1).astype(np.int32) * np.int32(around)
    place += np.clip(column, 0, around - 1).astype(np.int32)
    light = 0.42 + 0.58 * facing + 0.16 * np.exp(-((across + 0.5) ** 2) / 0.0144)
    inside = (
        np.clip(radius - np.abs(x), 0, 1) * np.clip(row + 1, 0, 1) * np.clip(height - row, 0, 1)
    )
    pixels = np.empty((*place.shape, 4), dtype=np.uint8)
    pixels[..., :3] = np.minimum(wrap.reshape(-1, 3).take(place, axis=0) * light[..., None], 255)
    pixels[..., 3] = inside * 255
    return Image.fromarray(pixels, "RGBA")


@lru_cache(maxsize=128)
def _side(product: Product, width: int, height: int) -> Image.Image:
    """The narrow side of a box: the ground in shade, with lines of small print."""
    ground = shade(product.brand.paper if product.design.light else product.brand.ground, 0.62)
    side = Image.new("RGBA", (width, height), ground)
    draw = ImageDraw.Draw(side)
    print_colour = shade(ground, 1.5 if product.design.light else 2.2)
    for index in range(9):
        y = height * (0.3 + 0.05 * index)
        draw.line((width * 0.15, y, width * (0.85 - 0.1 * (index % 3)), y), print_colour, 3)
    return side


def _fold(product: Product, form: Folded, turn: float) -> Image.Image:
    """A box whose front and one side are seen; the edges that lead away grow shorter.

    The side is on the right for ``turn`` >= 0; the other case is built in a mirror.
    """
    height = round(form.height * BULK[product.bulk])
    near = form.width * cos(turn)
    far = near + max(form.depth * sin(abs(turn)), 2.0)
    top, bottom = float(form.gable), float(form.gable + height)
    slope, steep = height * 0.06 * abs(turn), height * 0.09 * abs(turn) / 0.6
    size = (round(far), form.gable + height)
    front = ((0.0, top + slope), (near, top), (near, bottom), (0.0, bottom - slope))
    side = ((near, top), (far, top + steep), (far, bottom - steep), (near, bottom))
    whole = Image.new("RGBA", size)
    if form.gable:
        _roof(whole, product, front[0], front[1], side[1])
    print_side = artwork(product, form.width, height).convert("RGBA")
    if turn < 0:
        print_side = ImageOps.mirror(print_side)
    for corners, face in ((side, _side(product, form.depth, height)), (front, print_side)):
        warp = perspective(corners, *face.size)
        whole.alpha_composite(
            face.transform(size, Image.Transform.PERSPECTIVE, warp, Image.Resampling.BILINEAR)
        )
    return whole if turn >= 0 else ImageOps.mirror(whole)


def _roof(whole: Image.Image, product: Product, left: Corner, ridge: Corner, right: Corner) -> None:
    """The gable of a carton: a slope over the front, a triangle over the side, a fin on top."""
    ground = product.brand.paper if product.design.light else product.brand.ground
    draw = ImageDraw.Draw(whole)
    fin, top = 14, 16
    inset = (right[0] - ridge[0]) / 2
    start, end = (left[0] + inset * 0.6, top), (ridge[0] + inset, top)
    draw.polygon([left, ridge, end, start], shade(ground, 0.88))
    draw.polygon([ridge, right, end], shade(ground, 0.55))
    draw.polygon([start, end, (end[0], top - fin), (start[0], top - fin)], shade(ground, 1.1))
    middle = ((left[0] + ridge[0]) / 2, (left[1] + top) / 2 + 4)
    draw.ellipse((middle[0] - 17, middle[1] - 9, middle[0] + 17, middle[1] + 11),
                 product.cap)  # fmt: skip


@lru_cache(maxsize=len(BULK))
def _crinkles(width: int, height: int) -> NDArray[np.float32]:
    """How light falls on a filled pouch: (height, width, 1) factors around 1."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    pillow = 1.08 - 0.42 * x**6 - 0.25 * y**8
    folds = 0.07 * np.sin(9 * x + 3 * y**2) * np.abs(y) ** 3 + 0.04 * np.sin(5 * y - 4 * x)
    seam = np.where(np.abs(y) > 0.93, 0.12 * np.sin(x * 90), 0)
    return np.asarray(pillow + folds + seam, dtype=np.float32)[..., None]


def _pouch(product: Product) -> Image.Image:
    """A pillow bag with crimped ends."""
    width, height = POUCH[0], round(POUCH[1] * BULK[product.bulk])
    art = np.asarray(artwork(product, width, height))
    lit = np.clip(art * _crinkles(width, height), 0, 255)
    x = np.abs(np.linspace(-1, 1, width, dtype=np.float32))[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    inside = np.clip((0.94 + 0.06 * y**4 - x) * width / 2, 0, 1)
    return Image.fromarray(np.dstack([lit, inside * 255]).astype(np.uint8), "RGBA")
