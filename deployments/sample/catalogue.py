"""Invented products: brands with a look, and lines whose variants differ in one detail."""

from __future__ import annotations

import colorsys
import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from .lettering import fonts
from .words import Language, language

T = TypeVar("T")

FRUIT = ("strawberry", "blueberry", "lemon", "orange", "apple", "mango", "cherry", "peach")
SWEET = ("vanilla", "chocolate", "caramel", "hazelnut", "honey")
SAVOURY = ("tomato", "paprika", "mushroom", "onion", "cheese")
MARKS = ("disc", "shield", "leaf", "sun", "star", "crown", "rings", "wave", "diamond", "mountain")
CAPS = ("#2f6fd0", "#2f9e44", "#d6336c")
LAYOUTS = ("stacked", "split", "medallion", "banner", "corner")
SHARE_WITH_SIBLINGS = 0.5
SHARE_BANDED = 0.8
PATTERNS = ("plain", "fade", "dots", "stripes", "rays", "hills", "checks")


@dataclass(frozen=True)
class Kind:
    """What a food (or shampoo) comes in: its forms, flavours, strengths (%) and sizes."""

    forms: tuple[str, ...]
    flavours: tuple[str, ...]
    sizes: tuple[int, ...]
    liquid: bool = False
    strengths: tuple[float, ...] = ()


KINDS = MappingProxyType(
    {
        "yogurt": Kind(("tub", "jar"), FRUIT + SWEET, (150, 250, 500), strengths=(0.1, 1.5, 3.5)),
        "milk": Kind(
            ("carton", "bottle"), ("vanilla", "chocolate"), (500, 1000), True, (0.5, 1.5, 3.5)
        ),
        "juice": Kind(("carton", "bottle"), FRUIT, (330, 750, 1000), True),
        "jam": Kind(("jar",), FRUIT, (225, 340, 450)),
        "muesli": Kind(("box", "pouch"), FRUIT + SWEET, (375, 500, 750)),
        "tea": Kind(("box",), ("mint", "camomile", *FRUIT), (40, 75, 125)),
        "biscuits": Kind(("box", "pouch"), ("lemon", "orange", *SWEET), (125, 200, 300)),
        "crisps": Kind(("pouch",), SAVOURY, (90, 150, 225)),
        "soup": Kind(("can", "box"), SAVOURY, (300, 400, 800)),
        "soda": Kind(("can", "bottle"), FRUIT, (250, 330, 500), True),
        "shampoo": Kind(("bottle",), ("honey", "mint", "camomile", *FRUIT), (200, 300, 400), True),
    }
)


@dataclass(frozen=True)
class Brand:
    """A name in the locale's script, a mark, a typeface and a palette of ``#rrggbb`` colours."""

    name: str
    mark: str
    typeface: str
    ground: str
    accent: str
    paper: str


@dataclass(frozen=True)
class Design:
    """How a line looks. ``banded`` lines colour a band by flavour; the others keep one colour."""

    layout: str
    pattern: str
    banded: bool
    light: bool
    claim: str


@dataclass(frozen=True)
class Product:
    """One thing on the shelf: the class that the annotators tell apart.

    ``name`` is unique within the locale and NFC; ``size`` is in grams or millilitres; ``bulk`` is
    the size's place (0, 1 or 2) among the sizes of its kind; ``cap`` is the colour of the lid,
    which tells strengths apart as dairies do.
    """

    locale: str
    name: str
    brand: Brand
    design: Design
    form: str
    kind_word: str
    line: str
    flavour: str
    flavour_word: str
    strength: str
    size: str
    bulk: int
    cap: str


def random_for(*parts: object) -> np.random.Generator:
    """A random generator that depends on nothing but ``parts``."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def catalogue(locale: str, seed: int) -> Iterator[tuple[Product, ...]]:
    """Endless product lines of ``locale``, each a tuple of one to three sibling variants.

    Some lines share a brand, no two share a name. Raises ``ValueError`` for an unknown locale.
    """
    rng = random_for("catalogue", seed, locale)
    words = language(locale)
    brands: dict[str, Brand] = {}
    lines: set[tuple[str, str, str]] = set()
    while True:
        reuse = bool(brands) and rng.random() < 0.3
        brand = brands[_choice(rng, tuple(brands))] if reuse else _brand(rng, locale, words)
        if not reuse and brand.name in brands:
            continue
        kind, line = _choice(rng, tuple(KINDS)), _choice(rng, words.lines)
        if (brand.name, kind, line) in lines:
            continue
        brands[brand.name] = brand
        lines.add((brand.name, kind, line))
        yield _variants(rng, locale, words, brand, kind, line)


def products(locale: str, seed: int, parts: tuple[int, ...]) -> list[tuple[Product, ...]]:
    """``len(parts)`` disjoint groups of products, the i-th of ``parts[i]`` products.

    A product line is never shared by two groups, so a group holds siblings but no sibling of
    another group's product.
    """
    lines = catalogue(locale, seed)
    groups = []
    for count in parts:
        group: list[Product] = []
        while len(group) < count:
            group.extend(islice(next(lines), count - len(group)))
        groups.append(tuple(group))
    return groups


def _choice(rng: np.random.Generator, options: tuple[T, ...]) -> T:
    return options[int(rng.integers(len(options)))]


def _sample(rng: np.random.Generator, options: tuple[T, ...], count: int) -> list[T]:
    order = rng.permutation(len(options))[:count]
    return [options[int(i)] for i in order]


def _colour(hue: float, lightness: float, saturation: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue % 1.0, lightness, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _brand(rng: np.random.Generator, locale: str, words: Language) -> Brand:
    starts, middles, ends = words.syllables
    middle = _choice(rng, middles) if rng.random() < 0.5 else ""
    hue = rng.random()
    return Brand(
        name=_choice(rng, starts) + middle + _choice(rng, ends),
        mark=_choice(rng, MARKS),
        typeface=_choice(rng, fonts(locale)),
        ground=_colour(hue, rng.uniform(0.22, 0.5), rng.uniform(0.35, 0.95)),
        accent=_colour(hue + rng.uniform(0.25, 0.75), rng.uniform(0.35, 0.6), 0.8),
        paper=_colour(hue + rng.uniform(-0.1, 0.1), rng.uniform(0.88, 0.97), 0.6),
    )


def _variants(
    rng: np.random.Generator, locale: str, words: Language, brand: Brand, kind_key: str, line: str
) -> tuple[Product, ...]:
    kind = KINDS[kind_key]
    design = Design(
        layout=_choice(rng, LAYOUTS),
        pattern=_choice(rng, PATTERNS),
        banded=bool(rng.random() < SHARE_BANDED),
        light=bool(rng.random() < 0.4),
        claim=_choice(rng, words.claims),
    )
    first = Product(
        locale=locale,
        name="",
        brand=brand,
        design=design,
        form=_choice(rng, kind.forms),
        kind_word=words.kinds[kind_key],
        line=line,
        flavour="",
        flavour_word="",
        strength="",
        size="",
        bulk=0,
        cap=brand.accent,
    )
    strengths: tuple[float | None, ...] = (None,)
    flavours = [_choice(rng, kind.flavours)]
    bulks = [int(rng.integers(len(kind.sizes)))]
    if rng.random() < SHARE_WITH_SIBLINGS:
        detail = rng.random()
        if kind.strengths and detail < 0.4:
            strengths = kind.strengths
        elif detail < 0.8:
            flavours = _sample(rng, kind.flavours, int(rng.integers(2, 4)))
        else:
            bulks = [0, len(kind.sizes) - 1]
    unit = words.millilitres if kind.liquid else words.grams
    return tuple(
        _named(
            replace(
                first,
                flavour=flavour,
                flavour_word=words.flavours[flavour],
                strength=f"{words.number(strength)} {words.percent}" if strength else "",
                size=f"{words.number(kind.sizes[bulk])} {unit}",
                bulk=bulk,
                cap=CAPS[kind.strengths.index(strength)] if strength else brand.accent,
            ),
            words,
        )
        for flavour in flavours
        for strength in strengths
        for bulk in bulks
    )


def _named(product: Product, words: Language) -> Product:
    name = words.name.format(
        brand=product.brand.name,
        line=product.line,
        kind=product.kind_word,
        flavour=product.flavour_word,
        strength=product.strength,
        size=product.size,
    )
    return replace(product, name=unicodedata.normalize("NFC", " ".join(name.split())))
