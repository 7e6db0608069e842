"""Reviews and portfolios drawn from a seed: every light, five locales, any currency, odd names.

Sentences are written as people type them (the text `verbatim`), so that a test can look for them in
every language.
"""

import datetime as dt
import io
from decimal import Decimal

import numpy as np
from PIL import Image, ImageDraw

from workforce.money import Money
from workforce.performance.figures import Cell, Figure, Metric
from workforce.periods import FiscalCalendar, Period
from workforce.reviews.review import (
    Action,
    Advice,
    BudgetLine,
    Confused,
    Credit,
    InvoiceLine,
    Light,
    LocaleLine,
    OrderLine,
    Portfolio,
    Recommendation,
    Review,
    Risk,
    Said,
    Score,
    SpendLine,
    Trend,
)

QUARTER = FiscalCalendar().period("2026Q4")
BEFORE = FiscalCalendar().period("2026Q3")
AS_OF = dt.date(2026, 12, 31)
LOCALES = ("ar-EG", "de-DE", "en-US", "ja-JP", "sv-SE")
KINDS = ("verify", "merge")
PRODUCTS = {
    "ar-EG": ("عصير المانجو ١ لتر", "عصير الجوافة ١ لتر"),
    "de-DE": ("Apfelschorle 0,5 l", "Apfelsaft naturtrüb 0,5 l"),
    "en-US": ("Oat drink <original>", "Oat drink & vanilla"),
    "ja-JP": ("緑茶 500ml", "濃い緑茶 500ml"),
    "sv-SE": ("Mellanmjölk 1,5 l", "Lättmjölk 1,5 l"),
}
SHARES = (
    Metric.GOLD_ACCURACY,
    Metric.SENSITIVITY,
    Metric.SPECIFICITY,
    Metric.FIRST_PASS_YIELD,
    Metric.REWORK_RATE,
    Metric.DEFECT_RATE,
    Metric.ESCAPE_RATE,
    Metric.SLA_ATTAINMENT,
    Metric.COVERAGE,
)
LEVELS = {Metric.REWORK_RATE: 0.06, Metric.DEFECT_RATE: 0.02, Metric.ESCAPE_RATE: 0.008}


def typed(text: str) -> Said:
    """A sentence as a person typed it."""
    return Said("verbatim", {"text": text})


def review(
    seed: int = 0,
    *,
    currency: str = "EUR",
    vendor: str = "vendor-a",
    vendor_name: str = "Etiketten & Söhne GmbH",
    light: Light = Light.AMBER,
) -> Review:
    """A quarter of a vendor: all metrics, two trends, pictures, invoices with variances."""
    drawn = np.random.default_rng(seed)
    figures = tuple(
        _figure(drawn, metric, Cell(QUARTER, vendor, locale, kind), currency)
        for metric in Metric
        for locale in (None, *LOCALES)
        for kind in (None, *KINDS)
    )
    whole = {
        each.metric: each for each in figures if each.cell.locale is None and each.cell.kind is None
    }
    return Review(
        vendor=vendor,
        vendor_name=vendor_name,
        period=QUARTER,
        as_of=AS_OF,
        contracts=(f"{vendor}/2", f"{vendor}/3"),
        currency=currency,
        light=light,
        summary=(
            typed("Turnaround in ja-JP missed the contract in six of thirteen weeks."),
            typed("Gold accuracy is shown to meet the bar in four of five locales."),
            typed("Two invoice lines were billed beyond the accepted work."),
        ),
        scores=_scores(drawn, whole, vendor, currency),
        figures=figures,
        trends=_trends(drawn, vendor),
        causes=(
            typed("ja-JP brings 71 % of the late questions: one reader was away for five weeks."),
            typed("Half of the defects in ar-EG are two juices that were taken for one another."),
        ),
        confused=tuple(
            Confused(
                locale,
                *names,
                n=int(drawn.integers(3, 40)),
                of=int(drawn.integers(80, 200)),
                picture_of_one=_picture(drawn),
                picture_of_other=_picture(drawn) if locale != "sv-SE" else None,
            )
            for locale, names in PRODUCTS.items()
        ),
        spend=tuple(
            SpendLine(
                locale,
                kind,
                n_answers=(n := int(drawn.integers(200, 9000))),
                n_labels=int(n * drawn.uniform(0.7, 0.99)),
                hours=Decimal(int(drawn.integers(100, 9000))) / 36,
                agreed=_money(drawn, currency, 20_000),
            )
            for locale in LOCALES
            for kind in KINDS
        ),
        invoices=_invoices(drawn, currency),
        orders=_orders(drawn, currency),
        credits=(
            Credit(
                f"{vendor}/3",
                typed("95 % of the questions in ja-JP back within 3 working days"),
                typed("91.2 % in November"),
                _money(drawn, currency, 900),
            ),
            Credit(
                f"{vendor}/3",
                typed("95 % of the questions in ar-EG back within 3 working days"),
                typed("94.1 % in December"),
                _money(drawn, currency, 300),
            ),
        ),
        risks=(
            Risk(typed("Order PO-4 has run out by 22 January at the present pace."), Light.RED),
            Risk(typed("One reader of ja-JP answers half of all its questions."), Light.AMBER),
            Risk(typed("Rates are agreed until June."), Light.GREEN),
        ),
        actions=(
            Action(
                typed("Agree on a second reader of ja-JP."),
                typed("Ana Müller"),
                dt.date(2027, 1, 15),
            ),
            Action(
                typed("Ask for a corrected invoice 2026-118."),
                typed("岡田 優"),
                dt.date(2027, 1, 8),
            ),
        ),
        recommendation=Recommendation(
            Advice.RENEGOTIATE,
            dt.date(2027, 3, 31),
            (
                typed("The quality bar is met, the turnaround in ja-JP is not."),
                typed("vendor-b answers ja-JP 12 % cheaper."),
            ),
        ),
    )


def portfolio(seed: int = 0) -> Portfolio:
    """Three vendors in three currencies, of which two have no cents or a thousand of them."""
    drawn = np.random.default_rng(seed)
    return Portfolio(
        period=QUARTER,
        as_of=AS_OF,
        currency="EUR",
        light=Light.RED,
        summary=(
            typed("Two of three vendors meet their contracts."),
            typed("Etikett-B is shown to miss its quality bar from week 45 on."),
        ),
        reviews=(
            review(seed, light=Light.GREEN),
            review(
                seed + 1,
                currency="JPY",
                vendor="vendor-b",
                vendor_name="ラベル工房株式会社",
                light=Light.RED,
            ),
            review(
                seed + 2,
                currency="KWD",
                vendor="vendor-c",
                vendor_name='=HYPERLINK("http://x.example","<b>دقة</b>")',
                light=Light.GREY,
            ),
        ),
        locales=tuple(
            LocaleLine(
                locale,
                planned=planned,
                accepted=int(drawn.integers(400, 4000)),
                open_questions=int(drawn.integers(10, 300)),
                overdue_questions=int(drawn.integers(0, 10)),
                spent=_money(drawn, "EUR", 40_000),
                light=light,
                done_p50=p50,
                done_p85=p50 + dt.timedelta(days=16) if p50 else None,
            )
            for locale, planned, light, p50 in zip(
                LOCALES,
                (4000, 5000, 4500, None, 4200),
                (Light.GREEN, Light.AMBER, Light.RED, Light.GREY, Light.GREEN),
                (dt.date(2027, 2, 26), dt.date(2027, 4, 9), dt.date(2027, 8, 27), None, AS_OF),
                strict=True,
            )
        ),
        budgets=(
            _budget(drawn, "Europe 2026", "EUR"),
            _budget(drawn, "東アジア 2026", "JPY"),
            _budget(drawn, "Gulf 2026", "KWD"),
            BudgetLine("Reserve", *(Money(Decimal(n), "EUR") for n in (50_000, 0, 0))),
        ),
        risks=(Risk(typed("The budget of Europe needs a revision by February."), Light.AMBER),),
        actions=(
            Action(typed("Decide on vendor-b."), typed("Head of Data"), dt.date(2027, 1, 20)),
        ),
    )


def _money(drawn: np.random.Generator, currency: str, most: int) -> Money:
    return Money(Decimal(int(drawn.integers(1, most * 1000))) / 1000, currency).rounded()


def _figure(drawn: np.random.Generator, metric: Metric, cell: Cell, currency: str) -> Figure:
    n = int(drawn.integers(0, 900)) if cell.kind else int(drawn.integers(200, 4000))
    if not n:
        return Figure(metric, cell, None, 0)
    if metric in (Metric.COST_PER_LABEL, Metric.COST_PER_CLUSTER):
        return Figure(metric, cell, Money(_money(drawn, currency, 3).amount, currency), n)
    if metric in SHARES:
        value = float(np.clip(drawn.normal(LEVELS.get(metric, 0.95), 0.01), 0, 1))
        half = 1.96 * np.sqrt(value * (1 - value) / n)
        return Figure(metric, cell, value, n, max(value - half, 0.0), min(value + half, 1.0))
    value = float(drawn.uniform(0.5, 0.9) if metric == Metric.AGREEMENT else drawn.uniform(1, 40))
    return Figure(metric, cell, value, n, value * 0.9, value * 1.1)


def _scores(
    drawn: np.random.Generator, whole: dict[Metric, Figure], vendor: str, currency: str
) -> tuple[Score, ...]:
    """A line for each light, one of money and one of a metric that was not measured before."""

    def before(metric: Metric) -> Figure:
        return _figure(drawn, metric, Cell(BEFORE, vendor), currency)

    return (
        Score(
            whole[Metric.GOLD_ACCURACY],
            before(Metric.GOLD_ACCURACY),
            0.95,
            0.30,
            Light.GREEN,
            typed("Shown to meet the contract: the whole interval is above the bar."),
        ),
        Score(
            whole[Metric.SLA_ATTAINMENT],
            before(Metric.SLA_ATTAINMENT),
            0.97,
            0.25,
            Light.RED,
            typed("Shown to miss: overdue questions that are still open count as late."),
        ),
        Score(
            whole[Metric.DEFECT_RATE],
            before(Metric.DEFECT_RATE),
            0.02,
            0.20,
            Light.AMBER,
            typed("Neither shown: the interval holds the agreed rate."),
        ),
        Score(
            whole[Metric.COST_PER_LABEL],
            before(Metric.COST_PER_LABEL),
            Money(Decimal(1), currency),
            0.15,
            Light.AMBER,
            typed("Dearer than in the quarter before."),
        ),
        Score(
            whole[Metric.AGREEMENT],
            None,
            None,
            0.10,
            Light.GREY,
            typed("Too few questions were answered twice."),
        ),
    )


def _trends(drawn: np.random.Generator, vendor: str) -> tuple[Trend, ...]:
    """Weekly gold accuracy that falls at the end, and attainment with a week of no work."""
    weeks = list(QUARTER.weeks())

    def weekly(metric: Metric, values: list[float | None]) -> tuple[Figure, ...]:
        figures = []
        for week, value in zip(weeks, values, strict=True):
            n = int(drawn.integers(60, 200)) if value is not None else 0
            half = 1.96 * float(np.sqrt(value * (1 - value) / n)) if value is not None else 0.0
            low, high = (
                (max(value - half, 0.0), min(value + half, 1.0))
                if value is not None
                else (None, None)
            )
            figures.append(Figure(metric, Cell(week, vendor), value, n, low, high))
        return tuple(figures)

    falling = [0.965 + float(drawn.normal(0, 0.006)) - 0.012 * max(0, i - 8) for i in range(13)]
    late = [None if i == 11 else min(0.97 + float(drawn.normal(0, 0.012)), 1) for i in range(13)]
    return (
        Trend(Metric.GOLD_ACCURACY, weekly(Metric.GOLD_ACCURACY, list(falling)), 0.95, _at(11, 12)),
        Trend(Metric.SLA_ATTAINMENT, weekly(Metric.SLA_ATTAINMENT, late), 0.95),
    )


def _at(*places: int) -> tuple[Period, ...]:
    weeks = list(QUARTER.weeks())
    return tuple(weeks[place] for place in places)


def _invoices(drawn: np.random.Generator, currency: str) -> tuple[InvoiceLine, ...]:
    """Three invoices: as agreed, billed beyond it, and a credit note."""
    lines = []
    for place, number in enumerate(("2026-101", "2026-118", "2026-131")):
        for line in range(1, 4):
            agreed = _money(drawn, currency, 4000)
            lines.append(InvoiceLine(number, line, agreed, agreed, typed("As the contract bills.")))
        if place == 1:
            lines.append(
                InvoiceLine(
                    number,
                    4,
                    _money(drawn, currency, 900),
                    Money(Decimal(0), currency),
                    typed("Billed before, on invoice 2026-101."),
                )
            )
    refund = _money(drawn, currency, 200)
    lines.append(
        InvoiceLine(
            "2026-140",
            1,
            Money(-refund.amount, currency),
            Money(-refund.amount, currency),
            typed("Credit note of 2026-118."),
        )
    )
    return tuple(lines)


def _orders(drawn: np.random.Generator, currency: str) -> tuple[OrderLine, ...]:
    def euros(amount: int) -> Money:
        return Money(Decimal(amount), currency)

    return (
        OrderLine(
            "PO-4",
            euros(60_000),
            _money(drawn, currency, 40_000),
            _money(drawn, currency, 8_000),
            dt.date(2026, 7, 1),
            dt.date(2027, 6, 30),
            dt.date(2027, 1, 22),
            dt.date(2027, 1, 12),
        ),
        OrderLine(
            "PO-5",
            euros(25_000),
            _money(drawn, currency, 6_000),
            _money(drawn, currency, 2_000),
            dt.date(2026, 10, 1),
            dt.date(2027, 9, 30),
        ),
    )


def _budget(drawn: np.random.Generator, name: str, currency: str) -> BudgetLine:
    return BudgetLine(
        name,
        at_completion=Money(Decimal(120_000), currency),
        actual=_money(drawn, currency, 90_000),
        earned=_money(drawn, currency, 80_000),
        forecast_p50=_money(drawn, currency, 140_000),
        forecast_p85=_money(drawn, currency, 160_000),
    )


def _picture(drawn: np.random.Generator) -> bytes:
    """A JPEG of a bottle on a shelf, 120 by 160 pixels."""
    ground, glass, label = (tuple(int(c) for c in drawn.integers(60, 250, 3)) for _ in range(3))
    image = Image.new("RGB", (120, 160), ground)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((38, 46, 82, 148), 10, fill=glass)
    pen.rectangle((52, 16, 68, 50), fill=glass)
    pen.rectangle((38, 80, 82, 120), fill=label)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80)
    return stream.getvalue()
