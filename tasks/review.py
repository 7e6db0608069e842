"""Business reviews and the portfolio, from all that the catalogue holds; pages kept as blobs."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog import content_digest, performance_copies
from catalog.performance import Log
from catalog.schema import now
from tasks.confusion import Taken, confused, taken
from tasks.foresight import Known, known
from tasks.gold_answers import GoldAnswers
from tasks.performance import WEEKS_WATCHED, circumstances, gold_counts
from tasks.settings import Settings, load_settings
from workforce import Vendor, Workforce
from workforce.billing.charges import Done, charges
from workforce.billing.credits import credits
from workforce.billing.statement import Statement, statement
from workforce.foresight.forecast import Forecast
from workforce.foresight.warnings import capacity, levels, quality
from workforce.money import Money
from workforce.performance.figures import Cell, Figure, Metric
from workforce.performance.metrics import Circumstances, measure, observations
from workforce.performance.observations import NEVER, Observations
from workforce.periods import A_DAY, Period, weeks_until
from workforce.reviews.assemble import in_force, locale_light, portfolio, review
from workforce.reviews.material import Material
from workforce.reviews.printing import pdf
from workforce.reviews.review import (
    Credit,
    LocaleLine,
    OrderLine,
    Portfolio,
    Review,
    Risk,
    Trend,
)
from workforce.reviews.review_page import portfolio_page, review_page
from workforce.reviews.scorecard import agreed
from workforce.reviews.wording import Wording
from workforce.statistics.variance import NOISE
from workforce.statistics.watch import Alarm, quality_watch
from workforce.workbook import write

REVIEWS = "reviews"
PORTFOLIO = "portfolio"
TRENDS = (
    Metric.GOLD_ACCURACY,
    Metric.SLA_ATTAINMENT,
    Metric.FIRST_PASS_YIELD,
    Metric.DEFECT_RATE,
    Metric.HANDLING_SECONDS,
    Metric.THROUGHPUT,
)
"""What variance is told apart by, and the column of the log that names it."""

ENOUGH_TO_TELL_APART = 200
"""Gold answers of a vendor from which on the components of their variance are estimated."""


@dataclass(frozen=True)
class Books:
    """What all reviews of a period are made of, read from the catalogue once."""

    settings: Settings
    period: Period
    log: Log
    start: Known
    terms: Circumstances

    @property
    def workforce(self) -> Workforce:
        return self.start.statement.workforce

    @property
    def done(self) -> tuple[Done, ...]:
        return self.start.statement.done

    @property
    def as_of(self) -> dt.date:
        return self.start.as_of

    @property
    def currency(self) -> str:
        return self.settings.company.currency

    @cached_property
    def observed(self) -> Observations:
        return observations(self.log, self.terms)

    @cached_property
    def forecast(self) -> Forecast:
        return self.start.forecast()

    @cached_property
    def taken(self) -> Taken:
        """Which products were taken for one another."""
        with self.settings.catalog.read() as transaction:
            return taken(transaction, self.period)

    @cached_property
    def credits(self) -> tuple[Credit, ...]:
        """What vendors owe for the months of the period that are over."""
        months = [
            month
            for month in self.settings.company.fiscal.months(self.period)
            if month.ends <= self.as_of
        ]
        figures = measure(self.log, months, self.terms) if months else []
        charged = charges(self.workforce, self.done)
        return tuple(
            credit
            for month in months
            for credit in credits(self.workforce, charged, figures, month)
        )

    @cached_property
    def statement(self) -> Statement:
        return statement(self.workforce, self.done, self.period, self.as_of, self.credits)

    @cached_property
    def figures(self) -> list[Figure]:
        """Every figure of the period and of the one before it."""
        fiscal = self.settings.company.fiscal
        before = fiscal.before(self.period)
        priced = replace(self.terms, costs=dict(self._costs()))
        return measure(self.log, [self.period, before], priced)

    @cached_property
    def weekly(self) -> list[Figure]:
        """The trends, week by week until today."""
        weeks = [week for week in self.period.weeks() if week.starts <= self.as_of]
        return measure(self.log, weeks, self.terms, TRENDS) if weeks else []

    @cached_property
    def alarms(self) -> list[Alarm]:
        """What the control charts of gold accuracy say until the end of the period."""
        last = min(self.period.ends, self.as_of)
        weeks = weeks_until(last, WEEKS_WATCHED)
        counts = gold_counts(measure(self.log, weeks, self.terms, (Metric.GOLD_ACCURACY,)))
        return quality_watch(counts)

    def _costs(self) -> Iterator[tuple[Cell, Money]]:
        """The cost of each vendor's work in its currency, and of all work, by locale and kind."""
        kinds = sorted({each.work.kind for each in self.done})
        for vendor in self.workforce.vendors:
            currency = currency_of(self, vendor.site)
            for locale, kind in product((None, *vendor.locales), (None, *kinds)):
                cell = Cell(self.period, vendor.site, locale, kind)
                yield cell, self.statement.cost(cell, currency)
        for locale in (None, *self.settings.locales):
            cell = Cell(self.period, None, locale)
            yield cell, self.statement.cost(cell, self.currency)


def books(settings: Settings, period: Period, as_of: dt.date) -> Books:
    """Read all that is known at the end of a day.

    Raises `WorkforceError` where an exchange rate is missing, or a record cannot be read.
    """
    with settings.catalog.read() as transaction:
        log = performance_copies.log_of(transaction, settings.blob_store, now())
        start = known(transaction, settings, as_of)
        moment = dt.datetime.combine(as_of + A_DAY, dt.time(), dt.UTC)
        terms = circumstances(transaction, settings, moment, {})
    return Books(settings, period, log, start, terms)


def vendor_review(held: Books, site: str) -> Review:
    """The review of a vendor; raises `WorkforceError` where no such vendor is recorded."""
    return review(
        _material(held, held.workforce.recorded(site)),
        held.workforce,
        held.settings.review.scorecard,
    )


def whole_portfolio(held: Books) -> Portfolio:
    """All vendors, locales and budgets."""
    due = held.start.due(held.settings)
    warned = capacity(held.forecast.locales, due, held.as_of)
    return portfolio(
        held.period,
        held.as_of,
        held.currency,
        [vendor_review(held, each.site) for each in held.workforce.vendors],
        list(_locales(held, due)),
        [held.forecast.on_budget(line) for line in held.statement.budgets(held.terms.planned)],
        [Risk(each.what, each.light) for each in warned],
    )


def reviews(held: Books, vendors: Sequence[str] | None) -> Iterator[tuple[str, Review | Portfolio]]:
    """The review of each of `vendors` under its name; of all, and the portfolio, where None."""
    everyone = [each.site for each in held.workforce.vendors]
    for site in everyone if vendors is None else vendors:
        yield site, vendor_review(held, site)
    if vendors is None:
        yield PORTFOLIO, whole_portfolio(held)


def period_of(settings: Settings, name: str | None, today: dt.date) -> Period:
    """The period that is called `name`, or the fiscal quarter of a week ago.

    So the first run of a quarter, by a schedule of once a week, is about the one that is over.
    """
    fiscal = settings.company.fiscal
    return fiscal.period(name) if name else fiscal.quarter(today - 7 * A_DAY)


def currency_of(held: Books, site: str) -> str:
    """The currency of a vendor's newest contract in the period, or that of the whole."""
    versions = in_force(held.workforce, site, held.period)
    return versions[-1].currency if versions else held.currency


@dataclass(frozen=True)
class Written:
    """A review's forms in the blob store, by the ending of their names."""

    title: str
    locations: dict[str, str]


@task(cache_policy=NO_CACHE)
def keep(name: str, said: Review | Portfolio, language: str, *, forms: Sequence[str]) -> Written:
    """Render `forms` (html, xlsx, pdf) of a review and keep them under names of their content."""
    wording, blobs = Wording.load(language), load_settings().blob_store
    locations = {}
    for form, content in rendered(said, wording, forms):
        key = f"{REVIEWS}/{name}/{said.period}/{content_digest(content)}.{form}"
        blobs.put(key, content)
        locations[form] = key
    return Written(titled(name, said, wording), locations)


def titled(name: str, said: Review | Portfolio, wording: Wording) -> str:
    """What the files of a review are called."""
    return f"{name} {said.period} {wording.tag}"


def rendered(
    said: Review | Portfolio, wording: Wording, forms: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """The files of a review, by the ending of their names.

    Raises `WorkforceError` where a PDF is wanted and no browser is there.
    """
    page = review_page(said, wording) if isinstance(said, Review) else portfolio_page(said, wording)
    if "html" in forms:
        yield "html", page.encode()
    if "xlsx" in forms:
        with TemporaryDirectory() as folder:
            file = Path(folder, "review.xlsx")
            write(said, wording, file)
            yield "xlsx", file.read_bytes()
    if "pdf" in forms:
        yield "pdf", pdf(page)


def _material(held: Books, vendor: Vendor) -> Material:
    site = vendor.site
    of_vendor = [each for each in held.figures if each.cell.vendor == site]
    contracts = {each.key for each in held.workforce.contracts if each.vendor == site}
    return Material(
        vendor=vendor,
        period=held.period,
        as_of=held.as_of,
        figures=[each for each in of_vendor if each.cell.period == held.period],
        before=[each for each in of_vendor if each.cell.period != held.period],
        trends=_trends(held, site),
        components=components_of_gold(held, site),
        confused=confused(held.taken, site, held.settings.blob_store),
        spend=held.statement.spend(site),
        invoices=held.statement.invoices(site),
        orders=_orders(held, site),
        credits=[each for each in held.credits if each.contract in contracts],
        risks=_warned(held, site),
        peers=_peers(held, vendor),
    )


def _trends(held: Books, site: str) -> list[Trend]:
    versions = in_force(held.workforce, site, held.period)
    asked = {
        each.metric: each.target
        for each in agreed(held.settings.review.scorecard, versions[-1] if versions else None)
        if each.locale is None and each.kind is None
    }
    spoken = tuple(
        alarm.week
        for alarm in held.alarms
        if alarm.vendor == site and alarm.week.starts >= held.period.starts
    )
    whole = [
        each
        for each in held.weekly
        if (each.cell.vendor, each.cell.locale, each.cell.kind) == (site, None, None)
    ]
    return [
        Trend(
            metric,
            tuple(each for each in whole if each.metric == metric),
            asked.get(metric),
            spoken if metric == Metric.GOLD_ACCURACY else (),
        )
        for metric in TRENDS
        if any(each.metric == metric and each.value is not None for each in whole)
    ]


def components_of_gold(held: Books, site: str) -> list[tuple[str, float]]:
    """The shares of the variance of gold answers, as long as there are answers enough."""
    gold = GoldAnswers.of(held.log, held.observed).of_vendor(site).within(held.period)
    if len(gold.rows) < ENOUGH_TO_TELL_APART:
        return []
    return [(name, each.share) for name, each in gold.components().items() if name != NOISE]


def _orders(held: Books, site: str) -> list[OrderLine]:
    """The vendor's orders that are in force in the period, with when they run out."""
    return [
        held.forecast.on_order(line)
        for line in held.statement.orders(site)
        if line.starts <= held.period.ends and line.ends >= held.period.starts
    ]


def _warned(held: Books, site: str) -> list[Risk]:
    """What watches the service levels and the quality of a vendor say of the period."""

    def target(vendor: str, _locale: str | None) -> float | None:
        versions = in_force(held.workforce, vendor, held.period)
        scorecard = held.settings.review.scorecard
        return next(
            (
                each.target
                for each in agreed(scorecard, versions[-1] if versions else None)
                if each.metric == Metric.SLA_ATTAINMENT and each.locale is None
            ),
            None,
        )

    alarms = [
        each for each in held.alarms if each.vendor == site and each.week.ends >= held.period.starts
    ]
    weeks = [each for each in held.weekly if each.cell.vendor == site]
    found = [*levels(weeks, target), *quality(alarms, weeks)]
    return [Risk(each.what, each.light) for each in found]


def _peers(held: Books, vendor: Vendor) -> list[str]:
    """Others who are shown to reach the bar in all locales that the vendor reads."""
    bar = next(
        (
            each.target
            for each in agreed(held.settings.review.scorecard, None)
            if each.metric == Metric.GOLD_ACCURACY
        ),
        None,
    )
    low = {
        (each.cell.vendor, each.cell.locale): each.low
        for each in held.figures
        if each.metric == Metric.GOLD_ACCURACY
        and each.cell.period == held.period
        and each.cell.kind is None
    }

    def shown(site: str, locale: str) -> bool:
        end = low.get((site, locale))
        return bar is not None and end is not None and end >= bar

    return [
        each.name
        for each in held.workforce.vendors
        if each.site != vendor.site and all(shown(each.site, locale) for locale in vendor.locales)
    ]


def _locales(held: Books, due: dict[str, dt.date]) -> Iterator[LocaleLine]:
    """Where each locale stands: what is planned, accepted, open and overdue of it."""
    ahead = {each.locale: each for each in held.forecast.locales}
    kept = held.observed.kept().groupby("locale", observed=False)["hits"].sum()
    n_open, n_overdue = (
        found.loc[(found["decided"] == NEVER) & (found["withdrawn"] == NEVER), "locale"]
        .value_counts()
        .to_dict()
        for found in (held.observed.questions, held.observed.due())
    )
    for locale in held.settings.locales:
        told = ahead.get(locale)
        p50, p85 = (told.done_p50, told.done_p85) if told is not None else (None, None)
        late = int(n_overdue.get(locale, 0))
        yield LocaleLine(
            locale,
            held.terms.planned.get(locale),
            int(kept.get(locale, 0)),
            int(n_open.get(locale, 0)),
            late,
            held.statement.cost(Cell(held.period, None, locale), held.currency),
            locale_light(due.get(locale), p50, p85, late),
            p50,
            p85,
        )
