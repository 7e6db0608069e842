"""Every figure of a review is what plain SQL and decimals find in the rows, money included.

The review is of the last quarter of a sample year in which Beta degrades from week 30 on, grants no
tier in October and bills a line twice in November. What is simulated (dates of forecasts) has no
rows, and is left out.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from catalog import Catalog
from tasks.review import Books, books, components_of_gold, vendor_review, whole_portfolio
from tasks.settings import SETTINGS_VARIABLE, load_settings
from tests.workforce.reviewed_in_sql import Raw
from workforce import Money, WorkingCalendar
from workforce.performance.figures import Cell, Figure, Metric
from workforce.periods import FiscalCalendar
from workforce.reviews.review import InvoiceLine, Light, Portfolio, Review
from workforce.sample_year import SampleYear, written
from workforce.sample_year.billing import Fault, sent

BETA = "vendor-b"
YEAR = SampleYear(year=2025, seed=16, answers=6_000, degrades=BETA, overbills=BETA)
LAST_DAY = dt.date(2025, 12, 31)
OVER = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
FISCAL = FiscalCalendar(first_month=1)
QUARTER, BEFORE = FISCAL.period("2025Q4"), FISCAL.period("2025Q3")
SETTINGS = """
data = "data"
locales = [{locales}]
[annotate]
sites = ["vendor-a", "vendor-b", "vendor-c"]
[plan]
locales = {{ {planned} }}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose catalogue holds the year until its last day."""
    folder = tmp_path_factory.mktemp("reviewed")
    planned = ", ".join(f'"{name}" = {{ images = {n} }}' for name, n in YEAR.planned.items())
    locales = ", ".join(f'"{name}"' for name in YEAR.planned)
    (folder / "groundtruth.toml").write_text(SETTINGS.format(locales=locales, planned=planned))
    catalog = Catalog(f"sqlite:///{folder / 'data' / 'catalogue.sqlite'}")
    with catalog.begin() as transaction:
        written(transaction, YEAR, YEAR.before, OVER)
    catalog.close()
    return folder


@pytest.fixture(scope="module")
def held(folder: Path) -> Iterator[Books]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SETTINGS_VARIABLE, str(folder / "groundtruth.toml"))
        load_settings.cache_clear()
        yield books(load_settings(), QUARTER, LAST_DAY)
    load_settings.cache_clear()


@pytest.fixture(scope="module")
def portfolio(held: Books) -> Portfolio:
    return whole_portfolio(held)


@pytest.fixture(scope="module")
def review(portfolio: Portfolio) -> Review:
    [found] = [each for each in portfolio.reviews if each.vendor == BETA]
    return found


@pytest.fixture(scope="module")
def raw(folder: Path) -> Iterator[Raw]:
    calendars = {each.site: WorkingCalendar(each) for each in YEAR.agreed.vendors}
    opened = Raw.of(folder / "data" / "catalogue.sqlite", OVER, calendars, YEAR.planned)
    yield opened
    opened.sql.close()


def yen(amount: Decimal) -> Money:
    return Money(amount, "JPY")


def same(figure: Figure, n: int, value: float | Decimal | None) -> bool:
    if isinstance(value, Decimal):
        assert isinstance(figure.value, Money)
        assert figure.value.currency == "JPY"
        value, found = float(value), float(figure.value.amount)
        return figure.n == n and found == pytest.approx(value, rel=1e-12)
    return figure.n == n and figure.value == (None if value is None else pytest.approx(value))


# --- every figure ---------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", Metric)
def test_figures_by_locale_and_kind(metric: Metric, review: Review, raw: Raw) -> None:
    figures = {each.cell: each for each in review.figures if each.metric == metric}
    assert len(figures) == 12  # two locales and all, three kinds and all
    for cell, (n, value) in raw.figures(metric, list(figures)).items():
        assert same(figures[cell], n, value), cell
    assert figures[Cell(QUARTER, BETA)].n > 10


def test_the_scorecard(review: Review, raw: Raw) -> None:
    [contract] = raw.contracts(BETA)
    asked = {
        Metric.GOLD_ACCURACY: float(contract["quality_bar"]),
        Metric.SLA_ATTAINMENT: float(contract["levels"][0]["at_least"]),
    }
    for score in review.scores:
        metric, whole = score.figure.metric, Cell(QUARTER, BETA)
        assert same(score.figure, *raw.figures(metric, [whole])[whole])
        assert score.target == asked.get(metric, score.target)
        if metric != Metric.COST_PER_LABEL:
            assert score.before is not None
            earlier = Cell(BEFORE, BETA)
            assert same(score.before, *raw.figures(metric, [earlier])[earlier])
    assert set(asked) < {each.figure.metric for each in review.scores}


def test_the_trends(review: Review, raw: Raw) -> None:
    for trend in review.trends:
        expected = raw.figures(trend.metric, [each.cell for each in trend.figures])
        assert len(expected) == 13
        for figure in trend.figures:
            assert same(figure, *expected[figure.cell])
    assert len(review.trends) == 6


def test_what_the_work_costs(review: Review, raw: Raw) -> None:
    n_labels, hours = raw.units(BETA, "label"), raw.units(BETA, "hour")
    charged = raw.charged(BETA)
    assert len(review.spend) == 6
    for line in review.spend:
        place = line.locale, line.kind
        of_line = [x for x in charged if (x.locale, x.kind) == place and x.on >= "2025-10"]
        assert line.agreed == yen(sum((x.amount for x in of_line), Decimal(0)))
        assert line.n_answers == sum(x.units for x in of_line)
        done = [n for (on, *where), n in n_labels.items() if (*where,) == place and on >= "2025-10"]
        assert line.n_labels == sum(done)
        paid = [n for (on, *where), n in hours.items() if (*where,) == place and on >= "2025-10"]
        assert float(line.hours) == pytest.approx(float(sum(paid)))


def test_the_lines_of_invoices(review: Review, raw: Raw) -> None:
    found = iter(review.invoices)
    for month in ("2025-10", "2025-11"):
        [invoice] = [each for each in raw.invoices(BETA) if each["starts"].startswith(month)]
        agreed = [*raw.agreed_lines(BETA, month), Decimal(0)]
        for number, item in enumerate(invoice["items"]):
            line = next(found)
            assert (line.invoice, line.line) == (invoice["number"], number + 1)
            assert line.billed == yen(Decimal(item["amount"]))
            assert line.agreed == yen(agreed[number])
    assert next(found, None) is None


def test_credits_of_missed_levels(review: Review, raw: Raw) -> None:
    owed = [raw.credit(BETA, month) for month in FISCAL.months(QUARTER)]
    assert [each.amount for each in review.credits] == [yen(each) for each in owed if each]
    assert any(owed)


def test_purchase_orders(review: Review, raw: Raw) -> None:
    """December is not billed yet: it accrues."""
    [line] = review.orders
    [order] = [each for each in raw.records("purchase_order") if each["number"] == line.number]
    sums = [
        sum(Decimal(item["amount"]) for item in each["items"])
        for each in raw.invoices(BETA)
        if order["starts"] <= each["ends"] <= order["ends"]
    ]
    december = [each.amount for each in raw.charged(BETA) if each.on.startswith("2025-12")]
    assert line.amount == yen(Decimal(order["amount"]))
    assert line.invoiced == yen(sum(sums, Decimal(0)))
    assert line.accrued.amount.quantize(Decimal("1e-9")) == sum(december)
    assert len(sums) == 5
    assert december


def test_budgets(portfolio: Portfolio, raw: Raw) -> None:
    """To the hundredths of hours that Alpha's invoices are rounded to."""
    currencies = {"vendor-a": "EUR", BETA: "JPY", "vendor-c": "USD"}
    for line in portfolio.budgets:
        [budget] = [each for each in raw.records("budget") if each["name"] == line.name]
        held = set(budget["locales"]) or set(YEAR.planned)
        actual, n_labels = Decimal(0), Decimal(0)
        for vendor, currency in currencies.items():
            labels = raw.units(vendor, "label").items()
            n_labels += sum(n for (_, locale, _), n in labels if locale in held)
            for each in raw.charged(vendor):
                if each.locale in held:
                    actual += raw.worth(each.amount, currency, each.on)
            for invoice in raw.invoices(vendor):
                agreed = [*raw.agreed_lines(vendor, invoice["starts"][:7])]
                items = [Decimal(x["amount"]) for x in invoice["items"] if x["locale"] in held]
                if vendor == BETA and not budget["locales"]:
                    actual += raw.worth(sum(items) - sum(agreed), currency, invoice["issued"])
        planned = sum(n for name, n in YEAR.planned.items() if name in held)
        assert line.at_completion == Money(Decimal(budget["amount"]), "EUR")
        assert n_labels < planned
        earned = Money(Decimal(budget["amount"]) * (n_labels / planned), "EUR")
        assert line.earned == earned.rounded()
        assert float(line.actual.amount) == pytest.approx(float(actual), abs=1.0)
    assert {each.name for each in portfolio.budgets} == {"2025", "2025 Europe"}


def test_where_the_locales_stand(portfolio: Portfolio, raw: Raw) -> None:
    cells = {name: Cell(QUARTER, None, name) for name in YEAR.planned}
    kept = raw.figures(Metric.COVERAGE, list(cells.values()))
    waiting = dict(
        raw.select("SELECT locale, count(*) FROM asked WHERE decided IS NULL GROUP BY locale")
    )
    undecided = {key for (key,) in raw.select("SELECT id FROM asked WHERE decided IS NULL")}
    assert undecided
    for line in portfolio.locales:
        assert line.planned == YEAR.planned[line.locale]
        assert line.accepted == kept[cells[line.locale]][0]
        assert line.open_questions == waiting.get(line.locale, 0)


# --- what is said of it ---------------------------------------------------------------------------


def test_the_review_names_what_was_billed_too_much_with_its_amount(review: Review) -> None:
    bills = [each for each in sent(YEAR) if each.invoice.vendor == BETA and each.fault]
    planted = {each.invoice.number: each for each in bills if each.invoice.ends in QUARTER}
    off: dict[str, list[InvoiceLine]] = {}
    for line in review.invoices:
        if line.is_off:
            off.setdefault(line.invoice, []).append(line)
    in_time = {n: each for n, each in planted.items() if each.invoice.issued <= LAST_DAY}
    assert {each.fault for each in in_time.values()} == {Fault.TIER, Fault.TWICE}
    assert set(off) == set(in_time)
    for number, lines in off.items():
        total = sum((line.variance.amount for line in lines), Decimal(0))
        assert yen(total) == in_time[number].excess
        assert {line.why.key for line in lines} == (
            {"invoice.tier"} if in_time[number].fault == Fault.TIER else {"invoice.billed_before"}
        )
    disputed = {each.what.values.get("invoice") for each in review.actions}
    assert set(off) <= disputed


def test_the_degrading_vendor_is_red_and_its_risks_say_why(review: Review) -> None:
    assert review.light == Light.RED
    assert {"warning.level_slips", "warning.quality_drifts"} & {x.what.key for x in review.risks}


@pytest.mark.parametrize("vendor", ["vendor-a", "vendor-c"])
def test_nobody_else_is_accused(vendor: str, portfolio: Portfolio) -> None:
    [review] = [each for each in portfolio.reviews if each.vendor == vendor]
    assert review.light in (Light.GREEN, Light.AMBER)
    assert not [each for each in review.scores if each.light == Light.RED]
    assert not [line for line in review.invoices if line.is_off]
    assert not review.credits
    assert not [each for each in review.risks if each.light == Light.RED]
    assert not [each for each in review.trends if each.alarms]


def test_a_review_by_itself_is_that_of_the_portfolio(held: Books, review: Review) -> None:
    assert vendor_review(held, BETA) == review


def test_what_gold_varies_with_is_told_of_a_year(held: Books) -> None:
    """A quarter of so small a year has too few gold answers."""
    year = replace(held, period=FISCAL.period("2025"))
    assert components_of_gold(held, "vendor-a") == []
    shares = dict(components_of_gold(year, "vendor-a"))
    assert set(shares) == {"annotator", "cluster", "locale"}
    assert 0 <= sum(shares.values()) <= 1
