"""Early warnings from all that the catalogue holds, told once: an event for each, then its row."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from prefect.events import emit_event
from prefect.events.worker import EventsWorker

from catalog import Transaction, warned
from catalog.identity import digest
from catalog.schema import Warned
from tasks.artifacts import table
from tasks.blocks import VendorContact, find
from tasks.foresight import Known, known
from tasks.performance import WEEKS_WATCHED, figures, gold_counts
from tasks.settings import Settings
from workforce import Workforce
from workforce.foresight import warnings
from workforce.foresight.forecast import Forecast
from workforce.foresight.throughput import WEEK
from workforce.foresight.warnings import Kind, Warning, news
from workforce.performance.figures import Figure, Metric
from workforce.periods import A_DAY, weeks_until
from workforce.reviews.review import Light, Said
from workforce.reviews.wording import Wording
from workforce.statistics.watch import quality_watch

OVER = "over"
MONEY = {Kind.ORDER_RUNS_OUT, Kind.CAPACITY_SHORT, Kind.BUDGET_TOO_SMALL, Kind.INVOICE_OFF}
"""What cannot be judged without exchange rates."""
WARNINGS = ("light", "since", "vendor", "locale", "what")


class Watched(NamedTuple):
    """All warnings of the kinds `judged` that stand on a day, the most urgent first."""

    today: dt.date
    warnings: tuple[Warning, ...]
    judged: frozenset[Kind]


def watched(
    settings: Settings,
    workforce: Workforce,
    weeks: Sequence[Figure],
    today: dt.date,
    expected: tuple[Known, Forecast] | None,
) -> Watched:
    """What is to be warned of on a day.

    `weeks` are service levels and gold week by week. Where an exchange rate is missing, nothing can
    be `expected`, and nothing is said of money.
    """
    found = warnings.rates(workforce, settings.company.currency, today)
    found += warnings.notices(workforce, today)
    found += warnings.levels(weeks, partial(_attainment, workforce, today))
    found += warnings.quality(quality_watch(gold_counts(weeks)), weeks)
    judged = set(Kind)
    if expected is None:
        judged -= MONEY
    else:
        known, told = expected
        found += warnings.orders(known.orders(told), today)
        found += warnings.capacity(told.locales, known.due(settings), today)
        found += warnings.budgets(known.budgets(told), today)
        invoices = {each.site: known.statement.invoices(each.site) for each in workforce.vendors}
        found += warnings.invoices(invoices, today)
    found.sort(key=lambda each: (-each.urgency, each.name))
    return Watched(today, tuple(found), frozenset(judged))


def expected(
    transaction: Transaction, settings: Settings, workforce: Workforce, today: dt.date
) -> tuple[Known, Forecast] | None:
    """What is expected from the end of the day before; None where an exchange rate is missing."""
    currency = settings.company.currency
    if any(each.light == Light.RED for each in warnings.rates(workforce, currency, today)):
        return None
    start = known(transaction, settings, today - A_DAY)
    return start, start.forecast()


def weekly(today: dt.date) -> list[Figure]:
    """Service levels and gold of the last weeks that are over, as known when the day begins."""
    weeks = weeks_until(today - WEEK * A_DAY, WEEKS_WATCHED)
    return figures(weeks, _at(today), metrics=(Metric.SLA_ATTAINMENT, Metric.GOLD_ACCURACY))


def tell(settings: Settings, found: Watched) -> list[Warned]:
    """Tell what people do not know yet; a second time tells nothing.

    The events are with Prefect before the rows are written. Where a run ends in between, the next
    one sends them again under the same identities, which Prefect keeps once.
    """
    with settings.catalog.read() as transaction:
        before = warned.newest(transaction)
    rows = list(_rows(found, before))
    for row in rows:
        _emit(row)
    if rows:
        EventsWorker.instance().wait_until_empty()
    with settings.catalog.begin() as transaction:
        warned.add(transaction, rows)
    return rows


def digest_page(found: Watched, told: Sequence[Warned], standing: Sequence[Warned]) -> list[str]:
    """The daily digest, as sections: what is new, and all that stands."""
    new = [each for each in told if each.urgency is not None]
    over = [each for each in told if each.urgency is None]
    sections = [f"As of {found.today}: {len(standing)} warnings stand, {len(new)} of them are new."]
    if new:
        sections += ["## New", table(WARNINGS, lines(new))]
    if over:
        sections += ["## Over", table(("what",), ((each.what,) for each in over))]
    if standing:
        sections += ["## All that stand", table(WARNINGS, lines(standing))]
    else:
        sections.append("All clear: nothing is known that endangers dates, money or quality.")
    return sections


def contacts(settings: Settings, standing: Sequence[Warned]) -> list[str]:
    """Whom to speak to about the vendors that are warned of, where it is known."""
    vendors = sorted({each.vendor for each in standing if each.vendor is not None})
    known = {
        vendor: find(VendorContact, vendor, settings.servers.prefect_api) for vendor in vendors
    }
    told = [
        (vendor, each.name, each.email, each.phone, each.note)
        for vendor, each in known.items()
        if each is not None
    ]
    if not told:
        return []
    return ["## Whom to speak to", table(("vendor", "name", "e-mail", "phone", "note"), told)]


def lines(standing: Sequence[Warned]) -> Iterator[tuple[str, ...]]:
    """The lines of a table of warnings."""
    for each in standing:
        since = f"{each.since:%Y-%m-%d}"
        yield each.light, since, each.vendor or "", each.locale or "", each.what


def _rows(found: Watched, before: Mapping[tuple[str, str], Warned]) -> Iterator[Warned]:
    wording = Wording.load("en")
    told = {name: row.urgency for name, row in before.items() if row.urgency is not None}
    fresh = news(found.warnings, told, found.judged)
    for each in fresh.worse:
        last = before.get(each.name)
        yield Warned(
            kind=each.kind,
            about=each.about,
            number=last.number + 1 if last is not None else 1,
            urgency=each.urgency,
            light=each.light,
            what=wording.said(each.what),
            since=last.since if last is not None and last.urgency is not None else _at(each.since),
            vendor=each.vendor,
            locale=each.locale,
            warned_at=_at(found.today),
        )
    for name in fresh.over:
        last = before[name]
        yield Warned(
            kind=last.kind,
            about=last.about,
            number=last.number + 1,
            urgency=None,
            light=Light.GREEN,
            what=wording.said(Said(f"clear.{last.kind}", {"about": last.about})),
            since=_at(found.today),
            vendor=last.vendor,
            locale=last.locale,
            warned_at=_at(found.today),
        )


def _emit(row: Warned) -> None:
    """Send the event of a warning, under an identity that is the same each time."""
    what = OVER if row.urgency is None else row.kind
    emit_event(
        f"groundtruth.warning.{what}",
        resource={"prefect.resource.id": _resource(row), "prefect.resource.name": row.about},
        payload={
            "kind": row.kind,
            "about": row.about,
            "light": row.light,
            "since": row.since.isoformat(),
            "vendor": row.vendor,
            "locale": row.locale,
            "what": row.what,
        },
        id=UUID(digest("warning", row.kind, row.about, row.number)),
    )


def _resource(row: Warned) -> str:
    if row.vendor is not None:
        return f"groundtruth.vendor.{row.vendor}"
    if row.locale is not None:
        return f"groundtruth.locale.{row.locale}"
    return f"groundtruth.{row.kind}.{row.about}"


def _attainment(
    workforce: Workforce, today: dt.date, vendor: str, locale: str | None
) -> float | None:
    """The share of the work in a locale, or in all, that is to be on time, if agreed on."""
    contract = workforce.contract(vendor, today)
    agreed = [
        float(level.target)
        for level in (contract.levels if contract is not None else ())
        if level.metric == Metric.SLA_ATTAINMENT and (not level.locales or locale in level.locales)
    ]
    return max(agreed, default=None)


def _at(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
