"""Warnings speak of what is shown, stay silent where it may be chance, and are told once."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from tests.workforce.staff import contract, euros, order, vendor, workforce
from workforce import ExchangeRate
from workforce.foresight.forecast import Ahead
from workforce.foresight.warnings import (
    Kind,
    Warning,
    budgets,
    capacity,
    invoices,
    levels,
    news,
    notices,
    orders,
    quality,
    rates,
)
from workforce.performance.figures import Cell, Figure, Metric
from workforce.periods import week_of
from workforce.reviews.review import BudgetLine, InvoiceLine, Light, OrderLine, Said
from workforce.reviews.wording import Wording
from workforce.statistics.watch import Alarm

TODAY = dt.date(2026, 11, 16)
END = dt.date(2026, 12, 31)
EARLY, LATE = dt.date(2026, 12, 1), dt.date(2027, 2, 1)


def order_line(p50: dt.date | None, p85: dt.date | None) -> OrderLine:
    whole = euros("1000")
    return OrderLine("17", whole, euros("600"), euros("100"), dt.date(2026, 1, 1), END, p50, p85)


@pytest.mark.parametrize(
    ("p50", "p85", "light"),
    [
        (EARLY, EARLY, Light.RED),
        (EARLY, None, Light.AMBER),
        (END, END, None),
        (None, None, None),
    ],
)
def test_an_order_is_warned_of_where_it_is_used_up_before_it_ends(
    p50: dt.date | None, p85: dt.date | None, light: Light | None
) -> None:
    found = orders({"vendor-a": [order_line(p50, p85)]}, TODAY)
    assert [each.light for each in found] == ([light] if light else [])


def ahead(p50: dt.date | None, p85: dt.date | None, remaining: int | None = 10) -> Ahead:
    return Ahead("de-DE", remaining, p50, p85, euros("1"), euros("2"), ())


@pytest.mark.parametrize(
    ("told", "light"),
    [
        (ahead(EARLY, EARLY), None),
        (ahead(EARLY, LATE), Light.AMBER),
        (ahead(LATE, LATE), Light.RED),
        (ahead(None, None), Light.RED),
        (ahead(None, None, remaining=None), None),
        (ahead(None, None, remaining=0), None),
    ],
)
def test_capacity_is_short_where_labels_come_after_their_day(
    told: Ahead, light: Light | None
) -> None:
    found = capacity([told], {"de-DE": END}, TODAY)
    assert [each.light for each in found] == ([light] if light else [])
    assert capacity([told], {}, TODAY) == []


@pytest.mark.parametrize(
    ("days", "light"),
    [(61, None), (60, Light.AMBER), (30, Light.AMBER), (7, Light.RED), (0, Light.RED), (-1, None)],
)
def test_the_last_day_for_notice_is_warned_of_while_it_lies_ahead(
    days: int, light: Light | None
) -> None:
    staff = workforce(vendor(), contract(notice_by=TODAY + dt.timedelta(days=days)))
    assert [each.light for each in notices(staff, TODAY)] == ([light] if light else [])


def test_each_step_towards_the_last_day_for_notice_is_more_urgent() -> None:
    found = [
        notices(workforce(vendor(), contract(notice_by=TODAY + dt.timedelta(days=n))), TODAY)[0]
        for n in (60, 30, 7)
    ]
    assert sorted(found, key=lambda each: each.urgency) == found
    assert len({each.urgency for each in found}) == 3


def invoice_line(billed: str, agreed: str, number: int = 1) -> InvoiceLine:
    return InvoiceLine("R-1", number, euros(billed), euros(agreed), Said("verbatim", {"text": ""}))


def test_an_invoice_is_off_beyond_the_tolerance_by_what_all_its_lines_differ() -> None:
    lines = [
        invoice_line("101.99", "100"),
        invoice_line("130", "100", 2),
        invoice_line("0", "5", 3),
    ]
    [found] = invoices({"vendor-a": lines}, TODAY)
    assert found.light == Light.RED
    assert found.what.values["variance"] == euros("25")
    assert found.rows == ("invoice vendor-a/R-1 line 2", "invoice vendor-a/R-1 line 3")
    assert invoices({"vendor-a": [invoice_line("101.99", "100")]}, TODAY) == []
    [less] = invoices({"vendor-a": [invoice_line("-40", "0")]}, TODAY)
    assert less.light == Light.AMBER


def test_a_budget_needs_a_revision_where_its_p50_is_more_than_it_has() -> None:
    enough = BudgetLine("Q4", euros("10"), euros("5"), euros("5"), euros("10"), euros("12"))
    short = BudgetLine("Q4", euros("10"), euros("5"), euros("5"), euros("11"), euros("12"))
    spent = BudgetLine("Q4", euros("10"), euros("10"), euros("5"), euros("11"), euros("12"))
    assert [each.light for each in budgets([enough, short, spent], TODAY)] == [
        Light.AMBER,
        Light.RED,
    ]


def test_an_exchange_rate_is_missed_where_a_currency_in_use_has_none_or_an_old_one() -> None:
    def rate(on: dt.date) -> ExchangeRate:
        said = {"of": "EUR", "into": "SEK", "on": on, "rate": "11"}
        return ExchangeRate.model_validate(said)

    staff = (vendor(), contract(), order("10", currency="SEK"))
    found = [
        [each.light for each in rates(workforce(*staff, *known), "EUR", TODAY)]
        for known in ((), (rate(dt.date(2026, 8, 1)),), (rate(dt.date(2026, 11, 1)),))
    ]
    assert found == [[Light.RED], [Light.AMBER], []]


def weekly(shares: list[float], n: int = 100, locale: str | None = None) -> list[Figure]:
    """The service level of the weeks before today, the last of them last."""
    first = TODAY - dt.timedelta(weeks=len(shares))
    return [
        Figure(
            Metric.SLA_ATTAINMENT,
            Cell(week_of(first + dt.timedelta(weeks=place)), "vendor-a", locale),
            round(share * n) / n if n else None,
            n,
        )
        for place, share in enumerate(shares)
    ]


def target(vendor: str, locale: str | None) -> float | None:
    return 0.95


def test_a_level_that_falls_is_warned_of_since_the_week_in_which_it_began_to_miss() -> None:
    [found] = levels(weekly([0.97] * 12 + [0.85, 0.8, 0.75, 0.75]), target)
    assert found.since == TODAY - dt.timedelta(weeks=4)
    assert found.name == (Kind.LEVEL_SLIPS, "vendor-a")
    assert len(found.figures) == 4


def test_a_level_that_stays_low_is_warned_of_all_the_time() -> None:
    """What it fell by is not taken for weeks that vary."""
    fallen = [0.97] * 20 + [0.94, 0.9, 0.86] + [0.82, 0.84] * 10
    for last in range(27, len(fallen) + 1):
        [found] = levels(weekly(fallen[:last], n=80), target)
        assert found.figures[-1].n == 80


@pytest.mark.parametrize(
    "shares", [[0.97] * 16, [0.97] * 15 + [0.5], [0.97] * 12 + [0.94] * 4, [0.4, 0.4]]
)
def test_a_level_that_holds_or_misses_once_or_by_chance_is_not_warned_of(
    shares: list[float],
) -> None:
    n = 5 if len(shares) < 4 else 100
    assert levels(weekly(shares, n), target) == []


def test_nothing_due_and_nothing_agreed_is_no_miss() -> None:
    assert levels(weekly([0.0] * 8, n=0), target) == []
    assert levels(weekly([0.1] * 16), lambda vendor, locale: None) == []


def test_years_in_which_levels_are_held_have_no_false_alarm() -> None:
    """Three vendors of five locales, 97 % on time, with weeks that differ by more than chance."""
    generator = np.random.default_rng(7)
    for _ in range(10):
        late = generator.beta(0.03 * 40, 0.97 * 40, (15, 52))
        right = 1 - generator.binomial(60, late) / 60
        year = [weekly(list(each), 60, f"locale {n}") for n, each in enumerate(right)]
        for week in range(8, 52):
            assert levels([each for weeks in year for each in weeks[: week + 1]], target) == []


def test_a_locale_is_not_named_where_its_vendor_is() -> None:
    since = week_of(TODAY)
    of_locale = Alarm("vendor-a", "de-DE", since, since, 9, 50, 2.0)
    of_vendor = Alarm("vendor-a", None, since, since, 19, 90, 4.0)
    assert [each.about for each in quality([of_locale])] == ["vendor-a de-DE"]
    assert [each.about for each in quality([of_locale, of_vendor])] == ["vendor-a"]


def test_every_sentence_can_be_said() -> None:
    staff = workforce(vendor(), contract(notice_by=TODAY), order("10", currency="SEK"))
    old = ExchangeRate.model_validate(
        {"of": "EUR", "into": "SEK", "on": dt.date(2026, 1, 1), "rate": Decimal(11)}
    )
    since = week_of(TODAY)
    missed = weekly([0.97] * 12 + [0.7] * 4)
    found = [
        *orders({"vendor-a": [order_line(EARLY, EARLY)]}, TODAY),
        *capacity([ahead(LATE, LATE)], {"de-DE": END}, TODAY),
        *capacity([ahead(None, None)], {"de-DE": END}, TODAY),
        *notices(staff, TODAY),
        *invoices({"vendor-a": [invoice_line("9", "5")]}, TODAY),
        *budgets([BudgetLine("Q", euros("1"), euros("0"), euros("0"), euros("2"))], TODAY),
        *rates(staff, "EUR", TODAY),
        *rates(workforce(vendor(), contract(), order("1", currency="SEK"), old), "EUR", TODAY),
        *levels([*missed, *weekly([0.97] * 12 + [0.7] * 4, locale="de-DE")], target),
        *quality([Alarm("vendor-a", None, since, since, 9, 50, 2.0)]),
        *quality([Alarm("vendor-a", "de-DE", since, since, 9, 50, 2.0)]),
    ]
    assert {each.kind for each in found} == set(Kind)
    wording = Wording.load("en")
    for each in found:
        assert wording.said(each.what)
        assert wording.text(f"clear.{each.kind}", about=each.about)


def warning(about: str, light: Light) -> Warning:
    return Warning(Kind.LEVEL_SLIPS, about, TODAY, light, Said("verbatim", {"text": about}))


def test_news_is_what_is_new_or_worse_and_what_is_over() -> None:
    amber, red = warning("vendor-a", Light.AMBER), warning("vendor-a", Light.RED)
    gone = (Kind.LEVEL_SLIPS, "vendor-b")
    told = {red.name: amber.urgency, gone: red.urgency}
    found = news([red], told, [Kind.LEVEL_SLIPS])
    assert (found.worse, found.over) == ((red,), (gone,))
    assert news([amber], {amber.name: red.urgency}, [Kind.LEVEL_SLIPS]).worse == ()


def test_what_could_not_be_judged_is_not_over() -> None:
    told = {(Kind.ORDER_RUNS_OUT, "17"): 1}
    assert news([], told, [Kind.LEVEL_SLIPS]).over == ()
