"""Which products are taken for one another, by locale and vendor.

Of 100,000 products there are five thousand million pairs, of which few are ever confused: only
those that were are kept. That A was taken for B and B for A is one confusion.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from statsmodels.stats.proportion import proportion_confint


@dataclass(frozen=True)
class Verdict:
    """What was said of an image, or of images together, beside what is true.

    `said` and `true` are products, equal where the answer was right.
    """

    vendor: str
    locale: str
    said: str
    true: str


@dataclass(frozen=True)
class Pair:
    """Two products of a locale that were taken for one another, in `n` of `of` verdicts about them.

    `low` and `high` end the 95 % Wilson interval of that share.
    """

    locale: str
    one: str
    other: str
    n: int
    of: int
    low: float
    high: float


@dataclass(frozen=True)
class Rate:
    """How many of a vendor's verdicts in a locale took one product for another."""

    vendor: str
    locale: str
    n: int
    of: int
    low: float
    high: float


@dataclass(frozen=True)
class Confusion:
    """The pairs that were confused, by locale and then the most often confused first, and the
    rate of each vendor in each locale."""

    pairs: tuple[Pair, ...]
    rates: tuple[Rate, ...]

    def most(self, locale: str, n: int) -> tuple[Pair, ...]:
        """The `n` pairs of a locale that were confused most often."""
        return tuple(each for each in self.pairs if each.locale == locale)[:n]


def confusion(verdicts: Iterable[Verdict]) -> Confusion:
    """Count verdicts, in memory that grows with the products and the confusions among them."""
    about: Counter[tuple[str, str]] = Counter()
    confused: Counter[tuple[str, str, str]] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    given: Counter[tuple[str, str]] = Counter()
    for each in verdicts:
        about[each.locale, each.true] += 1
        given[each.vendor, each.locale] += 1
        if each.said == each.true:
            continue
        wrong[each.vendor, each.locale] += 1
        about[each.locale, each.said] += 1
        one, other = sorted((each.said, each.true))
        confused[each.locale, one, other] += 1
    pairs = []
    for (locale, one, other), n in confused.items():
        # A confusion of the two was counted of either.
        of = about[locale, one] + about[locale, other] - n
        pairs.append(Pair(locale, one, other, n, of, *_wilson(n, of)))
    return Confusion(
        tuple(
            sorted(pairs, key=lambda each: (each.locale, -each.n, each.of, each.one, each.other))
        ),
        tuple(
            Rate(vendor, locale, wrong[vendor, locale], of, *_wilson(wrong[vendor, locale], of))
            for (vendor, locale), of in sorted(given.items())
        ),
    )


def _wilson(n: int, of: int) -> tuple[float, float]:
    low, high = proportion_confint(n, of, method="wilson")
    return float(low), float(high)
