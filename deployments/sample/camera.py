"""A phone's picture of a package: place, viewpoint, light, things in the way, lens and sensor."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from .catalogue import Product
from .lettering import write_in
from .packaging import Corner, package, perspective
from .words import language

FRAMES = ((256, 256), (240, 288), (288, 240), (256, 288))
ORIENTATION = 0x0112
SIDEWAYS = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
Pixels = NDArray[np.float32]


def photograph(
    product: Product, rng: np.random.Generator, *, neighbours: Sequence[Product] = ()
) -> bytes:
    """A JPEG of ``product``, about 256 pixels wide, decided by ``rng`` alone.

    ``neighbours`` are products that may stand beside it. One picture in twenty is stored sideways
    with an EXIF orientation, as phones do.
    """
    size = FRAMES[int(rng.integers(len(FRAMES)))]
    picture = _place(rng, size)
    if neighbours and rng.random() < 0.4:
        _stand_beside(picture, rng, neighbours[int(rng.integers(len(neighbours)))])
    cut_out, corners = _viewpoint(package(product, rng.uniform(-0.55, 0.55)), rng, size)
    _cast_shadow(picture, cut_out, rng)
    picture.paste(cut_out, (0, 0), cut_out)
    _put_in_the_way(picture, rng, corners, product.locale)
    lit = _light(np.asarray(picture, dtype=np.float32), rng, corners)
    return _develop(_lens(_image(lit), rng), rng)


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")


def _tint(rng: np.random.Generator, low: int, high: int, spread: int = 25) -> tuple[int, ...]:
    """A random muted colour."""
    level = int(rng.integers(low, high))
    return tuple(int(v) for v in np.clip(level + rng.integers(-spread, spread + 1, 3), 0, 255))


def _place(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """A shelf, a table, tiles or a clutter of things, out of focus."""
    small = Image.new("RGB", (96, 96), _tint(rng, 40, 225))
    draw = ImageDraw.Draw(small)
    match int(rng.integers(4)):
        case 0:
            for shelf in rng.integers(-10, 20, 1).tolist() + rng.integers(70, 90, 1).tolist():
                for x in range(-10, 96, int(rng.integers(12, 26))):
                    draw.rectangle((x, shelf - 60, x + 11, shelf), _tint(rng, 30, 220, 80))
                draw.rectangle((0, shelf, 96, shelf + 9), _tint(rng, 150, 250, 10))
        case 1:
            streaks = rng.normal(0, 14, (96, 1, 1)) + rng.normal(0, 5, (96, 8, 1))
            wood = np.array(_tint(rng, 90, 190, 10)) + np.array((30, 0, -30))
            plank = Image.fromarray(np.clip(wood + streaks, 0, 255).astype(np.uint8), "RGB")
            turned = plank.resize((160, 160)).rotate(float(rng.uniform(-30, 30)))
            small.paste(turned.crop((32, 32, 128, 128)))
            draw.rectangle((0, 0, 96, int(rng.integers(0, 50))), _tint(rng, 60, 230))
        case 2:
            step, grout = int(rng.integers(10, 34)), _tint(rng, 60, 240, 8)
            lean = int(rng.integers(-20, 20))
            for start in range(-30, 130, step):
                draw.line((start, 0, start + lean, 96), grout, 1)
                draw.line((0, start, 96, start - lean), grout, 1)
        case _:
            for x, y, radius in rng.uniform((0, 0, 4), (96, 96, 30), (14, 3)).tolist():
                box = (x - radius, y - radius * 0.7, x + radius, y + radius * 0.7)
                shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
                shape(box, _tint(rng, 20, 235, 70))
    soft = small.filter(ImageFilter.BoxBlur(float(rng.uniform(0.2, 1.6))))
    return soft.resize(size, Image.Resampling.BILINEAR)


def _viewpoint(
    cut_out: Image.Image, rng: np.random.Generator, size: tuple[int, int]
) -> tuple[Image.Image, tuple[Corner, ...]]:
    """``cut_out`` seen from a random place, on a frame of ``size``, and its corners there."""
    width, height = size
    scale = rng.uniform(0.68, 1.02) * min(width / cut_out.width, height / cut_out.height)
    tilt = radians(float(rng.normal(0, 9) if rng.random() < 0.9 else rng.uniform(-60, 60)))
    spare = np.array([width - scale * cut_out.width, height - scale * cut_out.height])
    centre = np.array([width, height]) / 2 + rng.uniform(-0.5, 0.5, 2) * np.maximum(spare, 14)
    jitter = rng.uniform(-0.055, 0.055, (4, 2)) * scale * min(cut_out.size)
    half = np.array(cut_out.size) * scale / 2
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    rotation = np.array([[cos(tilt), sin(tilt)], [-sin(tilt), cos(tilt)]])
    places = centre + (signs * half) @ rotation + jitter
    corners = tuple((float(x), float(y)) for x, y in places)
    warp = perspective(corners, *cut_out.size)
    seen = cut_out.transform(size, Image.Transform.PERSPECTIVE, warp, Image.Resampling.BILINEAR)
    return seen, corners


@lru_cache(maxsize=256)
def _bystander(product: Product) -> Image.Image:
    """``product`` seen from the front, smaller and darker."""
    cut_out = package(product, 0.2)
    small = cut_out.resize((cut_out.width * 3 // 4, cut_out.height * 3 // 4))
    return small.point([int(v * 0.8) for v in range(256)] * 3 + list(range(256)))


def _stand_beside(picture: Image.Image, rng: np.random.Generator, other: Product) -> None:
    """Another package, partly out of the frame, behind where ours will be."""
    dim = _bystander(other)
    left = rng.random() < 0.5
    hidden = rng.uniform(0.35, 0.65) * dim.width
    x = -hidden if left else picture.width - dim.width + hidden
    picture.paste(dim, (int(x), int(rng.integers(0, 40))), dim)


def _cast_shadow(picture: Image.Image, cut_out: Image.Image, rng: np.random.Generator) -> None:
    """A soft shadow of ``cut_out`` beside and below it."""
    small = cut_out.getchannel("A").resize((48, 48), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.BoxBlur(float(rng.uniform(0.8, 2.5))))
    strength = rng.uniform(0.25, 0.75)
    alpha = soft.point([int(v * strength) for v in range(256)]).resize(picture.size)
    offset = (int(rng.integers(-18, 19)), int(rng.integers(2, 14)))
    picture.paste((8, 8, 12), (*offset, offset[0] + alpha.width, offset[1] + alpha.height), alpha)


def _put_in_the_way(
    picture: Image.Image, rng: np.random.Generator, corners: tuple[Corner, ...], locale: str
) -> None:
    """Fingers that hold the package, or a price label stuck on it, in one picture of two."""
    draw = ImageDraw.Draw(picture)
    chance = rng.random()
    if chance < 0.25:
        left = rng.random() < 0.5
        (x0, y0), (x1, y1) = (corners[0], corners[3]) if left else (corners[1], corners[2])
        inward = 1 if left else -1
        skin = np.array([224, 172, 138]) * rng.uniform(0.4, 1.1)
        start, reach = rng.uniform(0.3, 0.6), rng.uniform(18, 36)
        for finger in range(int(rng.integers(1, 4))):
            along = start + 0.11 * finger
            x, y = x0 + (x1 - x0) * along, y0 + (y1 - y0) * along
            tip = x + inward * (reach - 5 * abs(finger - 1))
            box = (min(x - inward * 70, tip), y - 10, max(x - inward * 70, tip), y + 10)
            colour = tuple(int(v) for v in np.clip(skin - 10 * finger, 0, 255))
            draw.rounded_rectangle(box, 10, colour, tuple(v * 3 // 4 for v in colour))
    elif chance < 0.45:
        (x0, y0), (x1, y1) = corners[3], corners[2]
        along = rng.uniform(0.05, 0.6)
        x, y = x0 + (x1 - x0) * along, y0 + (y1 - y0) * along - rng.uniform(4, 24)
        paper = "#ffdf3a" if rng.random() < 0.5 else "#f6f6f2"
        draw.rectangle((x, y - 12, x + 54, y + 12), paper, "#8a8a80")
        price = language(locale).price(float(rng.integers(80, 990)) / 100)
        write_in(draw, (x + 4, y - 10, x + 50, y + 10), price, "DejaVuSans-Bold", "#1c1c1c")


def _light(pixels: Pixels, rng: np.random.Generator, corners: tuple[Corner, ...]) -> Pixels:
    """Exposure, a falling-off from one side, colour temperature and one reflection."""
    height, width = pixels.shape[:2]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    side = rng.uniform(0, 2 * np.pi)
    field = 1 + np.float32(rng.uniform(0, 0.38)) * (
        x * np.float32(cos(side)) + y * np.float32(sin(side))
    )
    warmth = rng.normal(0, 0.1)
    gains = np.array([1 + warmth, 1 + rng.normal(0, 0.025), 1 - warmth]) * rng.uniform(0.62, 1.2)
    pixels *= field[..., None] * gains.astype(np.float32)
    if rng.random() < 0.45:
        centre = np.mean(corners, axis=0) / (width, height) * 2 - 1 + rng.uniform(-0.35, 0.35, 2)
        lean, thin = rng.uniform(-0.8, 0.8), rng.uniform(0.05, 0.16)
        u = (x - np.float32(centre[0])) + np.float32(lean) * (y - np.float32(centre[1]))
        v = (y - np.float32(centre[1])) / np.float32(rng.uniform(0.2, 0.6))
        glare = np.exp(-((u / np.float32(thin)) ** 2) - v**2)
        pixels += np.float32(rng.uniform(60, 170)) * glare[..., None]
    return pixels


def _lens(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Defocus, and a shaken hand in one picture of four."""
    picture = picture.filter(ImageFilter.BoxBlur(float(rng.gamma(2.0, 0.4))))
    if rng.random() < 0.25:
        kernel = np.zeros((5, 5))
        slope = rng.uniform(-1, 1)
        for step in range(-2, 3):
            kernel[2 + round(step * slope), 2 + step] = 1
        if rng.random() < 0.5:
            kernel = kernel.T
        picture = picture.filter(ImageFilter.Kernel((5, 5), kernel.ravel().tolist()))
    return picture


def _develop(picture: Image.Image, rng: np.random.Generator) -> bytes:
    """Sensor noise and JPEG compression."""
    noise = rng.standard_normal((picture.height, picture.width, 1), dtype=np.float32)
    noisy = _image(np.asarray(picture) + np.float32(rng.uniform(1, 8)) * noise)
    exif = Image.Exif()
    if rng.random() < 0.05:
        orientation = 6 if rng.random() < 0.5 else 8
        noisy = noisy.transpose(SIDEWAYS[orientation])
        exif[ORIENTATION] = orientation
    file = io.BytesIO()
    noisy.save(file, "JPEG", quality=int(rng.integers(62, 92)), exif=exif)
    return file.getvalue()
