"""Flavour icons and brand marks as data: shapes in a unit square, drawn by one function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, pi, sin
from types import MappingProxyType

from PIL import ImageDraw

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Shape:
    """An ``oval`` (two corners), a ``polygon`` or a ``line`` in the unit square, y downwards."""

    what: str
    points: Points
    fill: str


@dataclass(frozen=True)
class Flavour:
    """The colour that stands for a flavour, and its icon."""

    colour: str
    shapes: tuple[Shape, ...]


def _oval(x: float, y: float, rx: float, ry: float, fill: str) -> Shape:
    return Shape("oval", ((x - rx, y - ry), (x + rx, y + ry)), fill)


def _area(fill: str, *points: tuple[float, float]) -> Shape:
    return Shape("polygon", points, fill)


def _line(fill: str, *points: tuple[float, float]) -> Shape:
    return Shape("line", points, fill)


def _star(count: int, inner: float, fill: str, outer: float = 0.48) -> Shape:
    radii = [outer if i % 2 == 0 else inner for i in range(2 * count)]
    return _area(
        fill,
        *(
            (0.5 + r * sin(pi * i / count), 0.5 - r * cos(pi * i / count))
            for i, r in enumerate(radii)
        ),
    )


def _leaf(fill: str = "#3f8f2f") -> Shape:
    return _area(fill, (0.5, 0.22), (0.62, 0.06), (0.82, 0.04), (0.72, 0.2))


def _petals(count: int, petal: str, heart: str) -> tuple[Shape, ...]:
    around = [2 * pi * i / count for i in range(count)]
    return (
        *(_oval(0.5 + 0.3 * sin(a), 0.5 - 0.3 * cos(a), 0.16, 0.16, petal) for a in around),
        _oval(0.5, 0.5, 0.17, 0.17, heart),
    )


STALK = "#4d6b1f"
SEEDS = ((0.38, 0.42), (0.62, 0.42), (0.5, 0.55), (0.4, 0.65), (0.6, 0.65), (0.5, 0.78))

FLAVOURS: Mapping[str, Flavour] = MappingProxyType(
    {
        "strawberry": Flavour(
            "#d8213b",
            (
                _area("#d8213b", (0.12, 0.3), (0.88, 0.3), (0.74, 0.7), (0.5, 0.96), (0.26, 0.7)),
                _area("#3f8f2f", (0.12, 0.3), (0.35, 0.1), (0.5, 0.24), (0.65, 0.1), (0.88, 0.3)),
                *(_oval(x, y, 0.025, 0.04, "#ffe27a") for x, y in SEEDS),
            ),
        ),
        "blueberry": Flavour(
            "#3a4aa8",
            (
                _oval(0.32, 0.62, 0.27, 0.27, "#3a4aa8"),
                _oval(0.7, 0.66, 0.25, 0.25, "#2d3b8c"),
                _oval(0.52, 0.3, 0.25, 0.25, "#5363c4"),
                _oval(0.52, 0.24, 0.09, 0.07, "#232c66"),
            ),
        ),
        "lemon": Flavour(
            "#f2d21b",
            (
                _area("#f2d21b", (0.02, 0.5), (0.2, 0.38), (0.2, 0.62)),
                _area("#f2d21b", (0.98, 0.5), (0.8, 0.38), (0.8, 0.62)),
                _oval(0.5, 0.5, 0.37, 0.3, "#f2d21b"),
                _oval(0.42, 0.4, 0.12, 0.06, "#fff4a8"),
            ),
        ),
        "orange": Flavour(
            "#f58a1f",
            (
                _oval(0.5, 0.54, 0.4, 0.4, "#f58a1f"),
                _oval(0.5, 0.54, 0.32, 0.32, "#ffd9a0"),
                *(
                    _area(
                        "#f58a1f",
                        (0.5, 0.54),
                        (0.5 + 0.29 * cos(a - 0.4), 0.54 + 0.29 * sin(a - 0.4)),
                        (0.5 + 0.29 * cos(a + 0.4), 0.54 + 0.29 * sin(a + 0.4)),
                    )
                    for a in (pi * i / 3 for i in range(6))
                ),
            ),
        ),
        "apple": Flavour(
            "#7cb82f",
            (
                _oval(0.36, 0.58, 0.27, 0.34, "#7cb82f"),
                _oval(0.64, 0.58, 0.27, 0.34, "#7cb82f"),
                _line(STALK, (0.5, 0.32), (0.54, 0.1)),
                _leaf(),
            ),
        ),
        "mango": Flavour(
            "#f2a31b",
            (
                _area("#f2a31b", (0.1, 0.62), (0.3, 0.24), (0.68, 0.12), (0.92, 0.36), (0.8, 0.72),
                         (0.5, 0.92), (0.22, 0.86)),
                _oval(0.68, 0.36, 0.18, 0.18, "#e0562a"),
            ),
        ),
        "cherry": Flavour(
            "#9c1030",
            (
                _line(STALK, (0.28, 0.66), (0.52, 0.1), (0.74, 0.66)),
                _oval(0.27, 0.72, 0.22, 0.22, "#b3123a"),
                _oval(0.74, 0.72, 0.22, 0.22, "#8c0d2b"),
                _leaf(),
            ),
        ),
        "peach": Flavour(
            "#f7a58c",
            (
                _oval(0.5, 0.56, 0.4, 0.38, "#f7a58c"),
                _oval(0.64, 0.6, 0.24, 0.28, "#ee7a6a"),
                _line("#c95a4e", (0.5, 0.2), (0.44, 0.5), (0.5, 0.9)),
                _leaf(),
            ),
        ),
        "vanilla": Flavour("#f3e2a9", _petals(6, "#fff6d6", "#c79a2b")),
        "chocolate": Flavour(
            "#5b3420",
            (
                _area("#5b3420", (0.1, 0.14), (0.9, 0.14), (0.9, 0.86), (0.1, 0.86)),
                *(
                    _area("#85543a", (x, y), (x + 0.2, y), (x + 0.2, y + 0.27), (x, y + 0.27))
                    for x in (0.16, 0.4, 0.64)
                    for y in (0.2, 0.53)
                ),
            ),
        ),
        "caramel": Flavour(
            "#c8812e",
            (
                _area("#f6d9a4", (0.0, 0.3), (0.25, 0.5), (0.0, 0.7)),
                _area("#f6d9a4", (1.0, 0.3), (0.75, 0.5), (1.0, 0.7)),
                _oval(0.5, 0.5, 0.3, 0.24, "#c8812e"),
                _line("#7a4714", (0.4, 0.3), (0.5, 0.5), (0.6, 0.7)),
            ),
        ),
        "hazelnut": Flavour(
            "#9a6b3f",
            (
                _area("#b98650", (0.16, 0.42), (0.84, 0.42), (0.7, 0.8), (0.5, 0.96), (0.3, 0.8)),
                _oval(0.5, 0.36, 0.36, 0.2, "#6e4725"),
            ),
        ),
        "honey": Flavour(
            "#e8a317",
            (
                _star(3, 0.416, "#e8a317"),
                _line("#fff0b8", (0.3, 0.5), (0.5, 0.62), (0.7, 0.5), (0.7, 0.32), (0.5, 0.22),
                      (0.3, 0.32), (0.3, 0.5)),
                _oval(0.5, 0.76, 0.08, 0.12, "#fff0b8"),
            ),
        ),
        "tomato": Flavour(
            "#e03c28",
            (
                _oval(0.5, 0.58, 0.44, 0.36, "#e03c28"),
                _area("#3f8f2f", (0.24, 0.2), (0.5, 0.26), (0.76, 0.2), (0.6, 0.36), (0.5, 0.5),
                         (0.4, 0.36)),
            ),
        ),
        "paprika": Flavour(
            "#c8281c",
            (
                _area("#c8281c", (0.3, 0.2), (0.6, 0.22), (0.68, 0.5), (0.9, 0.86), (0.95, 0.98),
                         (0.6, 0.84), (0.36, 0.56)),
                _line(STALK, (0.44, 0.22), (0.3, 0.04)),
            ),
        ),
        "mushroom": Flavour(
            "#b09a80",
            (
                _area("#efe4d2", (0.38, 0.5), (0.62, 0.5), (0.68, 0.94), (0.32, 0.94)),
                _area("#a07850", (0.06, 0.56), (0.14, 0.3), (0.34, 0.12), (0.66, 0.12), (0.86, 0.3),
                         (0.94, 0.56)),
            ),
        ),
        "onion": Flavour(
            "#b36a9c",
            (
                _area("#b36a9c", (0.5, 0.06), (0.6, 0.3), (0.9, 0.5), (0.84, 0.8), (0.5, 0.94),
                         (0.16, 0.8), (0.1, 0.5), (0.4, 0.3)),
                _line("#f0d4e6", (0.5, 0.14), (0.34, 0.5), (0.42, 0.88)),
                _line("#f0d4e6", (0.5, 0.14), (0.66, 0.5), (0.58, 0.88)),
            ),
        ),
        "cheese": Flavour(
            "#f4c430",
            (
                _area("#f4c430", (0.04, 0.6), (0.7, 0.18), (0.96, 0.5), (0.96, 0.86), (0.04, 0.86)),
                _oval(0.34, 0.68, 0.08, 0.08, "#b98a10"),
                _oval(0.68, 0.62, 0.1, 0.1, "#b98a10"),
            ),
        ),
        "mint": Flavour(
            "#2fae7a",
            (
                _area("#2fae7a", (0.5, 0.96), (0.14, 0.6), (0.2, 0.3), (0.5, 0.04), (0.8, 0.3),
                         (0.86, 0.6)),
                _line("#c9f2df", (0.5, 0.96), (0.5, 0.14)),
                _line("#c9f2df", (0.24, 0.4), (0.5, 0.6), (0.76, 0.4)),
            ),
        ),
        "camomile": Flavour("#e9d44a", _petals(9, "#ffffff", "#f0b81b")),
    }
)  # fmt: skip

MARKS: Mapping[str, tuple[Shape, ...]] = MappingProxyType(
    {
        "disc": (_oval(0.5, 0.5, 0.46, 0.46, "1"), _oval(0.5, 0.5, 0.24, 0.24, "2")),
        "shield": (
            _area("1", (0.1, 0.06), (0.9, 0.06), (0.84, 0.6), (0.5, 0.96), (0.16, 0.6)),
            _area("2", (0.5, 0.16), (0.78, 0.16), (0.72, 0.56), (0.5, 0.8)),
        ),
        "leaf": (
            _area("1", (0.06, 0.94), (0.14, 0.4), (0.5, 0.1), (0.96, 0.04), (0.9, 0.5),
                  (0.56, 0.84)),
            _line("2", (0.06, 0.94), (0.8, 0.2)),
        ),
        "sun": (_star(12, 0.34, "1"), _oval(0.5, 0.5, 0.25, 0.25, "2")),
        "star": (_star(5, 0.2, "1"),),
        "crown": (
            _area("1", (0.06, 0.2), (0.28, 0.5), (0.5, 0.1), (0.72, 0.5), (0.94, 0.2), (0.86, 0.86),
                     (0.14, 0.86)),
            _oval(0.5, 0.68, 0.09, 0.09, "2"),
        ),
        "rings": (
            _oval(0.32, 0.5, 0.3, 0.3, "1"),
            _oval(0.68, 0.5, 0.3, 0.3, "2"),
            _oval(0.68, 0.5, 0.17, 0.17, "1"),
        ),
        "wave": (
            _area("1", (0.02, 0.5), (0.25, 0.2), (0.5, 0.4), (0.75, 0.2), (0.98, 0.5), (0.75, 0.44),
                     (0.5, 0.64), (0.25, 0.44)),
            _area("2", (0.02, 0.78), (0.25, 0.5), (0.5, 0.7), (0.75, 0.5), (0.98, 0.78),
                  (0.75, 0.72),
                     (0.5, 0.92), (0.25, 0.72)),
        ),
        "diamond": (
            _area("1", (0.5, 0.02), (0.96, 0.5), (0.5, 0.98), (0.04, 0.5)),
            _area("2", (0.5, 0.3), (0.7, 0.5), (0.5, 0.7), (0.3, 0.5)),
        ),
        "mountain": (
            _area("1", (0.02, 0.9), (0.38, 0.14), (0.58, 0.54), (0.7, 0.36), (0.98, 0.9)),
            _area("2", (0.38, 0.14), (0.5, 0.4), (0.38, 0.34), (0.27, 0.4)),
        ),
    }
)  # fmt: skip


def draw_shapes(
    draw: ImageDraw.ImageDraw,
    shapes: tuple[Shape, ...],
    centre: tuple[float, float],
    size: float,
    palette: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Draw ``shapes`` ``size`` pixels wide around ``centre``; ``palette`` names their colours."""
    left, top = centre[0] - size / 2, centre[1] - size / 2
    for shape in shapes:
        points = [(left + x * size, top + y * size) for x, y in shape.points]
        fill = palette.get(shape.fill, shape.fill)
        if shape.what == "oval":
            draw.ellipse([*points[0], *points[1]], fill)
        elif shape.what == "polygon":
            draw.polygon(points, fill)
        else:
            draw.line(points, fill, max(1, round(size / 16)), joint="curve")
