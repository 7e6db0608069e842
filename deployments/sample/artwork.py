"""The printed side of a package: five layouts of brand, food, flavour, strength and size."""

from __future__ import annotations

import colorsys
from functools import lru_cache

from PIL import Image, ImageColor, ImageDraw

from .catalogue import Product, random_for
from .icons import FLAVOURS, MARKS, draw_shapes
from .lettering import Box, fonts, write_in

DARK, WHITE = "#20160f", "#ffffff"


@lru_cache(maxsize=256)
def artwork(product: Product, width: int, height: int) -> Image.Image:
    """The label of ``product`` as an RGB image of ``width`` x ``height`` pixels.

    Drawn at twice the size and reduced, so that its letters stay crisp.
    """
    page = _Page(product, 2 * width, 2 * height)
    LAYOUTS[product.design.layout](page)
    return page.image.resize((width, height), Image.Resampling.BOX)


def ink_on(colour: str) -> str:
    """Dark or white, whichever is easier to read on ``colour``."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return DARK if 0.3 * red + 0.59 * green + 0.11 * blue > 145 else WHITE


def shade(colour: str, lightness: float) -> str:
    """``colour`` with its HLS lightness multiplied."""
    hue, light, saturation = colorsys.rgb_to_hls(
        *(channel / 255 for channel in ImageColor.getrgb(colour)[:3])
    )
    rgb = colorsys.hls_to_rgb(hue, min(0.97, light * lightness), saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in rgb)


class _Page:
    """A sheet in preparation: relative boxes (0 to 1) in, pixels out."""

    def __init__(self, product: Product, width: int, height: int) -> None:
        brand, design = product.brand, product.design
        self.product = product
        self.flavour = FLAVOURS[product.flavour]
        self.ground = brand.paper if design.light else brand.ground
        self.band = self.flavour.colour if design.banded else brand.accent
        self.brand_colour = brand.ground if design.light else brand.paper
        self.image = Image.new("RGB", (width, height), self.ground)
        self.draw = ImageDraw.Draw(self.image)
        self.width, self.height = width, height
        self.unit = min(width, 0.85 * height)
        self.body_typeface = fonts(product.locale)[0]
        self._pattern()

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        return (
            left * self.width,
            top * self.height,
            right * self.width,
            bottom * self.height,
        )

    def fill(self, colour: str, left: float, top: float, right: float, bottom: float) -> None:
        self.draw.rectangle(self.box(left, top, right, bottom), colour)

    def words(
        self, text: str, colour: str, box: tuple[float, float, float, float], anchor: str = "m"
    ) -> None:
        write_in(self.draw, self.box(*box), text, self.body_typeface, colour, anchor=anchor)

    def brand(self, colour: str, box: tuple[float, float, float, float]) -> None:
        brand = self.product.brand
        write_in(self.draw, self.box(*box), brand.name, brand.typeface, colour)

    def mark(self, x: float, y: float, size: float) -> None:
        brand = self.product.brand
        palette = {"1": self.brand_colour, "2": brand.accent}
        draw_shapes(
            self.draw,
            MARKS[brand.mark],
            (x * self.width, y * self.height),
            size * self.unit,
            palette,
        )

    def icon(self, x: float, y: float, size: float, *, plate: str | None = WHITE) -> None:
        centre = (x * self.width, y * self.height)
        radius = size * self.unit / 2
        if plate:
            bounds = (
                centre[0] - radius,
                centre[1] - radius,
                centre[0] + radius,
                centre[1] + radius,
            )
            self.draw.ellipse(bounds, plate)
        draw_shapes(self.draw, self.flavour.shapes, centre, radius * 1.35)

    def strength(self, x: float, y: float, size: float) -> None:
        """A disc with the percentage, where the product has one."""
        if not self.product.strength:
            return
        cap = self.product.cap
        half_w, half_h = size * self.unit / self.width / 2, size * self.unit / self.height / 2
        self.draw.ellipse(self.box(x - half_w, y - half_h, x + half_w, y + half_h), cap, WHITE, 3)
        inner = (x - half_w * 0.8, y - half_h * 0.5, x + half_w * 0.8, y + half_h * 0.5)
        self.words(self.product.strength, ink_on(cap), inner)

    def claim(self, left: float, top: float, right: float, bottom: float) -> None:
        accent = self.product.brand.accent
        self.draw.rounded_rectangle(self.box(left, top, right, bottom), self.width // 30, accent)
        inset = 0.02
        self.words(
            self.product.design.claim,
            ink_on(accent),
            (left + inset, top, right - inset, bottom),
        )

    def _pattern(self) -> None:
        """The brand line's texture, a little lighter or darker than the ground."""
        faint = shade(self.ground, 0.88 if self.product.design.light else 1.25)
        width, height = self.width, self.height
        rng = random_for("pattern", self.product.brand.name, self.product.line)
        match self.product.design.pattern:
            case "fade":
                mask = Image.linear_gradient("L").resize((width, height))
                self.image.paste(faint, (0, 0, width, height), mask)
            case "dots":
                step = width // int(rng.integers(6, 11))
                for row, y in enumerate(range(0, height, step)):
                    for x in range(row % 2 * step // 2, width, step):
                        self.draw.ellipse((x, y, x + step * 0.45, y + step * 0.45), faint)
            case "stripes":
                step, lean = width // int(rng.integers(5, 10)), int(rng.integers(-1, 2)) * height
                for x in range(-2 * height, width + 2 * height, step):
                    self.draw.line((x, 0, x + lean, height), faint, step // 2)
            case "rays":
                around = self.box(-2, -2, 3, 3)
                for start in range(0, 360, 24):
                    self.draw.pieslice(around, start, start + 12, faint)
            case "hills":
                for left, top in zip(
                    rng.uniform(-0.5, 0.5, 4), rng.uniform(0.6, 0.85, 4), strict=True
                ):
                    self.draw.ellipse(self.box(left, top, left + 1, top + 0.65), faint)
            case "checks":
                step = width // int(rng.integers(4, 8))
                for row, y in enumerate(range(0, height, step)):
                    for x in range(row % 2 * step, width, 2 * step):
                        self.draw.rectangle((x, y, x + step - 1, y + step - 1), faint)


def _stacked(page: _Page) -> None:
    """Mark, brand, food, a flavour band, icon, size: from top to bottom."""
    product, ink = page.product, ink_on(page.ground)
    page.mark(0.5, 0.11, 0.24)
    page.brand(page.brand_colour, (0.06, 0.2, 0.94, 0.35))
    page.words(f"{product.line} {product.kind_word}", ink, (0.08, 0.35, 0.92, 0.45))
    page.fill(page.band, 0, 0.47, 1, 0.58)
    page.words(product.flavour_word, ink_on(page.band), (0.06, 0.475, 0.94, 0.575))
    page.icon(0.38 if product.strength else 0.5, 0.74, 0.36)
    page.strength(0.78, 0.74, 0.3)
    page.words(product.size, ink, (0.3, 0.9, 0.7, 0.98))


def _split(page: _Page) -> None:
    """Brand on the ground above, flavour on a white field below."""
    product = page.product
    page.fill(WHITE, 0, 0.5, 1, 1)
    page.fill(page.band, 0, 0.47, 1, 0.53)
    page.mark(0.16, 0.12, 0.22)
    page.brand(page.brand_colour, (0.06, 0.18, 0.94, 0.36))
    page.words(product.kind_word, ink_on(page.ground), (0.3, 0.05, 0.95, 0.17), "r")
    page.words(product.line, ink_on(page.ground), (0.1, 0.36, 0.9, 0.46))
    page.icon(0.25, 0.7, 0.42, plate=None)
    page.words(product.flavour_word, DARK, (0.46, 0.58, 0.97, 0.7))
    page.strength(0.74, 0.81, 0.3)
    page.words(product.size, DARK, (0.14, 0.88, 0.56, 0.98), "l")


def _medallion(page: _Page) -> None:
    """A large disc of the flavour's colour with the icon in it."""
    product, ink = page.product, ink_on(page.ground)
    page.brand(page.brand_colour, (0.06, 0.03, 0.94, 0.18))
    page.words(f"{product.line} {product.kind_word}", ink, (0.08, 0.18, 0.92, 0.27))
    half_h = min(0.38 * page.width / page.height, 0.25)
    middle = 0.29 + half_h
    page.draw.ellipse(page.box(0.1, 0.29, 0.9, 0.29 + 2 * half_h), page.band, WHITE, 6)
    page.icon(0.5, middle - half_h * 0.3, 0.34)
    page.words(
        product.flavour_word,
        ink_on(page.band),
        (0.19, middle + half_h * 0.3, 0.81, middle + half_h * 0.75),
    )
    page.strength(0.82, 0.74, 0.28)
    page.claim(0.08, 0.81, 0.66, 0.89)
    page.words(product.size, ink, (0.3, 0.895, 0.7, 0.985))


def _banner(page: _Page) -> None:
    """An upright flavour band at the side, words beside it."""
    product, ink = page.product, ink_on(page.ground)
    page.fill(page.band, 0, 0, 0.26, 1)
    page.icon(0.13, 0.84, 0.22)
    page.mark(0.66, 0.12, 0.26)
    page.brand(page.brand_colour, (0.3, 0.22, 0.97, 0.37))
    page.words(product.kind_word, ink, (0.3, 0.39, 0.97, 0.5))
    page.words(product.line, ink, (0.3, 0.5, 0.97, 0.58))
    page.fill(WHITE, 0.26, 0.6, 1, 0.71)
    page.words(product.flavour_word, DARK, (0.29, 0.605, 0.97, 0.705))
    page.strength(0.18, 0.13, 0.32)
    page.claim(0.31, 0.75, 0.95, 0.83)
    page.words(product.size, ink, (0.36, 0.86, 0.88, 0.97))


def _corner(page: _Page) -> None:
    """A slanted flavour corner below, brand in a plate above."""
    product, ink = page.product, ink_on(page.ground)
    width, height = page.width, page.height
    page.draw.polygon(
        [(0, 0.72 * height), (width, 0.5 * height), (width, height), (0, height)], page.band
    )
    page.draw.rounded_rectangle(page.box(0.06, 0.05, 0.94, 0.24), width // 12, page.brand_colour)
    page.brand(ink_on(page.brand_colour), (0.1, 0.06, 0.9, 0.23))
    page.words(product.kind_word, ink, (0.08, 0.26, 0.92, 0.39))
    page.words(product.line, ink, (0.08, 0.39, 0.7, 0.47), "l")
    page.icon(0.74, 0.6, 0.42)
    page.words(product.flavour_word, ink_on(page.band), (0.06, 0.77, 0.94, 0.88))
    page.strength(0.26, 0.58, 0.28)
    page.words(product.size, ink_on(page.band), (0.14, 0.885, 0.6, 0.985), "l")


LAYOUTS = {
    "stacked": _stacked,
    "split": _split,
    "medallion": _medallion,
    "banner": _banner,
    "corner": _corner,
}
