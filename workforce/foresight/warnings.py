"""Early warnings: what is about to go wrong with vendors, contracts and money, and since when.

Each rule speaks only of what is shown: a forecast by its P50 or P85, a rate by a test that leaves
few false alarms in a year, and a record by its dates. A warning has a name (its kind, and what it
is about), so that it is told once, and again only when it becomes worse.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import pairwise, takewhile

from scipy.stats import binom

from workforce.foresight.forecast import Ahead
from workforce.performance.figures import Figure, Metric
from workforce.records import Workforce
from workforce.reviews.review import BudgetLine, InvoiceLine, Light, OrderLine, Said, Value
from workforce.statistics.watch import Alarm

SEVERITY = (Light.GREEN, Light.GREY, Light.AMBER, Light.RED)
NOTICES = (60, 30, 7)
"""Days before the last day for notice on which it is said that it comes."""

WEEKS_TOGETHER = 4
"""Weeks of a service level that are judged together."""
WEEKS_BEFORE = 26
"""Weeks before these that tell how far weeks differ by more than chance."""
USUAL_SPREAD, COUNTS_AS = 3.0, 8
"""How many times the variance of chance weeks are taken to have, and the weeks that this counts as
beside those that were seen."""
LATE_BY_CHANCE = 1e-5
"""Chance that a level which is held looks missed: of a thousand looks in a year, one in a hundred
years."""
LEAST_DUE = 30

RATE_HOLDS = dt.timedelta(days=45)
"""How long an exchange rate is taken to be recent."""


class Kind(StrEnum):
    """What is warned of."""

    ORDER_RUNS_OUT = "order_runs_out"
    LEVEL_SLIPS = "level_slips"
    QUALITY_DRIFTS = "quality_drifts"
    CAPACITY_SHORT = "capacity_short"
    NOTICE_NEAR = "notice_near"
    INVOICE_OFF = "invoice_off"
    BUDGET_TOO_SMALL = "budget_too_small"
    RATE_MISSING = "rate_missing"


@dataclass(frozen=True)
class Warning:
    """What is about to go wrong, with what it follows from.

    `about` names the vendor, locale or record among those of the kind. `stage` counts up where the
    same becomes more urgent. `figures`, and the records that `rows` name, are what it follows from.
    """

    kind: Kind
    about: str
    since: dt.date
    light: Light
    what: Said
    vendor: str | None = None
    locale: str | None = None
    stage: int = 0
    figures: tuple[Figure, ...] = ()
    rows: tuple[str, ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        return self.kind, self.about

    @property
    def urgency(self) -> int:
        """Larger where it is more urgent, for comparison with the same warning before."""
        return len(NOTICES) * SEVERITY.index(self.light) + self.stage


def orders(lines: Mapping[str, Iterable[OrderLine]], as_of: dt.date) -> list[Warning]:
    """Purchase orders, by vendor, that are used up before they end.

    Red where that is so on 85 of 100 paths, amber where on 50.
    """
    return [
        Warning(
            Kind.ORDER_RUNS_OUT,
            line.number,
            as_of,
            Light.RED if _before(line.runs_out_p85, line.ends) else Light.AMBER,
            Said(
                "warning.order_runs_out",
                {
                    "order": line.number,
                    "vendor": vendor,
                    "day": line.runs_out_p50 or line.ends,
                    "ends": line.ends,
                    "left": line.left,
                },
            ),
            vendor=vendor,
            rows=(f"purchase_order {line.number}",),
        )
        for vendor, of_vendor in lines.items()
        for line in of_vendor
        if line.starts <= as_of <= line.ends and _before(line.runs_out_p50, line.ends)
    ]


def levels(
    weeks: Iterable[Figure], target: Callable[[str, str | None], float | None]
) -> list[Warning]:
    """Vendors, or their locales, that are shown to miss the share that is to be on time.

    `weeks` are SLA attainment week by week. It is shown where the last four weeks together would be
    as bad by chance once in 100,000 looks if the target were held, and the last two miss it each.
    Weeks differ by more than chance, since one bad day makes many late: by how much, the weeks
    before tell.
    """
    found = []
    for (vendor, locale), figures in _by_place(weeks, Metric.SLA_ATTAINMENT).items():
        agreed = target(vendor, locale)
        last = figures[-WEEKS_TOGETHER:]
        n = sum(each.n for each in last)
        if agreed is None or n < LEAST_DUE:
            continue
        missed = list(takewhile(partial(_misses, target=agreed), reversed(figures)))
        spread = _spread(figures[:-WEEKS_TOGETHER][-WEEKS_BEFORE:])
        on_time = sum(_right(each) for each in last)
        chance = binom.cdf(on_time / spread, int(n / spread), agreed)
        if len(missed) < 2 or chance >= LATE_BY_CHANCE:
            continue
        values: dict[str, Value] = {
            "vendor": vendor,
            "share": on_time / n,
            "n": n,
            "target": agreed,
        }
        found.append(
            Warning(
                Kind.LEVEL_SLIPS,
                _place(vendor, locale),
                missed[-1].cell.period.starts,
                Light.RED,
                _said("warning.level_slips", locale, values),
                vendor=vendor,
                locale=locale,
                figures=tuple(last),
            )
        )
    return found


def quality(alarms: Iterable[Alarm], figures: Sequence[Figure] = ()) -> list[Warning]:
    """Vendors, or their locales, whose control chart has spoken; `figures` are what it drew.

    A chart of a locale adds nothing where the vendor's own has spoken.
    """
    seen = list(alarms)
    vendors = {each.vendor for each in seen if each.locale is None}
    return [
        Warning(
            Kind.QUALITY_DRIFTS,
            _place(each.vendor, each.locale),
            each.since.starts,
            Light.RED,
            _said(
                "warning.quality_drifts",
                each.locale,
                {
                    "vendor": each.vendor,
                    "day": each.since.starts,
                    "n_wrong": each.n_wrong,
                    "n": each.n,
                    "expected": round(each.expected, 1),
                },
            ),
            vendor=each.vendor,
            locale=each.locale,
            figures=tuple(
                figure
                for figure in figures
                if figure.cell.vendor == each.vendor
                and each.locale in (None, figure.cell.locale)
                and figure.cell.period.starts >= each.since.starts
            ),
        )
        for each in seen
        if each.locale is None or each.vendor not in vendors
    ]


def capacity(ahead: Iterable[Ahead], due: Mapping[str, dt.date], as_of: dt.date) -> list[Warning]:
    """Locales that have their labels too late: red on 50 of 100 paths, amber on 15."""
    found = []
    for each in ahead:
        end = due.get(each.locale)
        if end is None or not each.remaining or not _after(each.done_p85, end):
            continue
        late = _after(each.done_p50, end)
        day = each.done_p50 if late else each.done_p85
        values: dict[str, Value] = {"locale": each.locale, "n": each.remaining, "due": end}
        found.append(
            Warning(
                Kind.CAPACITY_SHORT,
                each.locale,
                as_of,
                Light.RED if late else Light.AMBER,
                Said("warning.capacity_short.never", values)
                if day is None
                else Said("warning.capacity_short", {**values, "day": day}),
                locale=each.locale,
            )
        )
    return found


def notices(workforce: Workforce, as_of: dt.date) -> list[Warning]:
    """Contracts whose last day for notice is near: amber from 60 days before it, red from 7."""
    found = []
    for contract in workforce.contracts:
        if contract.notice_by is None or workforce.contract(contract.vendor, as_of) != contract:
            continue
        left = (contract.notice_by - as_of).days
        stage = sum(left <= days for days in NOTICES)
        if left < 0 or not stage:
            continue
        found.append(
            Warning(
                Kind.NOTICE_NEAR,
                contract.key,
                contract.notice_by - dt.timedelta(days=NOTICES[stage - 1]),
                Light.RED if stage == len(NOTICES) else Light.AMBER,
                Said(
                    "warning.notice_near",
                    {
                        "contract": contract.key,
                        "vendor": contract.vendor,
                        "day": contract.notice_by,
                        "n": left,
                        "ends": contract.ends,
                    },
                ),
                vendor=contract.vendor,
                stage=stage - 1,
                rows=(f"contract {contract.key}",),
            )
        )
    return found


def invoices(lines: Mapping[str, Iterable[InvoiceLine]], as_of: dt.date) -> list[Warning]:
    """Invoices, by vendor, with lines that bill another amount than the accepted work costs.

    Red where the vendor bills more in all, amber where it bills less.
    """
    found = []
    for vendor, of_vendor in lines.items():
        off: dict[str, list[InvoiceLine]] = defaultdict(list)
        for line in of_vendor:
            if line.is_off:
                off[line.invoice].append(line)
        for number, wrong in off.items():
            variance = sum((each.variance for each in wrong[1:]), wrong[0].variance)
            found.append(
                Warning(
                    Kind.INVOICE_OFF,
                    f"{vendor}/{number}",
                    as_of,
                    Light.RED if variance.amount > 0 else Light.AMBER,
                    Said(
                        "warning.invoice_off",
                        {
                            "invoice": number,
                            "vendor": vendor,
                            "variance": variance,
                            "n": len(wrong),
                        },
                    ),
                    vendor=vendor,
                    rows=tuple(f"invoice {vendor}/{number} line {each.line}" for each in wrong),
                )
            )
    return found


def budgets(lines: Iterable[BudgetLine], as_of: dt.date) -> list[Warning]:
    """Budgets that will not do: amber where more is needed on 50 of 100 paths, red once it is
    spent."""
    found = []
    for line in lines:
        needed = line.forecast_p50
        if needed is None or needed <= line.at_completion:
            continue
        found.append(
            Warning(
                Kind.BUDGET_TOO_SMALL,
                line.name,
                as_of,
                Light.RED if line.at_completion <= line.actual else Light.AMBER,
                Said(
                    "warning.budget_too_small",
                    {"budget": line.name, "needed": needed, "amount": line.at_completion},
                ),
                rows=(f"budget {line.name}",),
            )
        )
    return found


def rates(workforce: Workforce, currency: str, as_of: dt.date) -> list[Warning]:
    """Currencies in use without an exchange rate into `currency`, or with one that is old."""
    in_use = (
        *(each.currency for each in workforce.contracts if each.in_force(as_of)),
        *(each.currency for each in workforce.purchase_orders if each.in_force(as_of)),
        *(each.currency for each in workforce.budgets if each.in_force(as_of)),
    )
    found = []
    for other in sorted(set(in_use) - {currency}):
        known = [
            each.on
            for each in workforce.exchange_rates
            if {each.of, each.into} == {other, currency} and each.on <= as_of
        ]
        if known and as_of - max(known) <= RATE_HOLDS:
            continue
        values: dict[str, Value] = {"one": other, "other": currency}
        found.append(
            Warning(
                Kind.RATE_MISSING,
                f"{other}/{currency}",
                max(known) + RATE_HOLDS if known else as_of,
                Light.AMBER if known else Light.RED,
                Said("warning.rate_old", {**values, "day": max(known)})
                if known
                else Said("warning.rate_missing", values),
                rows=tuple(f"exchange_rate {other}/{currency}/{on}" for on in sorted(known)[-1:]),
            )
        )
    return found


def _by_place(
    figures: Iterable[Figure], metric: Metric
) -> dict[tuple[str, str | None], list[Figure]]:
    """The figures of a metric in which something was measured, by vendor and locale, in order."""
    found: dict[tuple[str, str | None], list[Figure]] = defaultdict(list)
    for each in sorted(figures, key=lambda each: each.cell.period.starts):
        cell = each.cell
        if each.metric == metric and each.n and cell.vendor is not None and cell.kind is None:
            found[cell.vendor, cell.locale].append(each)
    return found


def _right(figure: Figure) -> int:
    assert isinstance(figure.value, float | int)
    return round(figure.value * figure.n)


def _misses(figure: Figure, target: float) -> bool:
    return _right(figure) < target * figure.n


def _spread(figures: Sequence[Figure]) -> float:
    """How many times the variance of chance the shares of these weeks have, at least once.

    By how much each differs from the week before (von Neumann's mean square of differences), so
    that a level which falls for long is not taken for one that varies.
    """
    n, right = sum(each.n for each in figures), sum(_right(each) for each in figures)
    share = (right + 1) / (n + 2)
    known = [(_right(each) / each.n, each.n) for each in figures if each.n]
    squares = sum(
        (p - q) ** 2 / (share * (1 - share) * (1 / m + 1 / k)) for (p, m), (q, k) in pairwise(known)
    )
    n_pairs = max(len(known) - 1, 0)
    return max((COUNTS_AS * USUAL_SPREAD + squares) / (COUNTS_AS + n_pairs), 1.0)


def _place(vendor: str, locale: str | None) -> str:
    return vendor if locale is None else f"{vendor} {locale}"


def _said(key: str, locale: str | None, values: Mapping[str, Value]) -> Said:
    if locale is None:
        return Said(key, values)
    return Said(f"{key}.locale", {**values, "locale": locale})


def _before(day: dt.date | None, end: dt.date) -> bool:
    return day is not None and day < end


def _after(day: dt.date | None, end: dt.date) -> bool:
    return day is None or day > end


@dataclass(frozen=True)
class News:
    """What people are to be told: warnings that are new or worse, and the names of those over."""

    worse: tuple[Warning, ...]
    over: tuple[tuple[str, str], ...]


def news(
    found: Iterable[Warning], told: Mapping[tuple[str, str], int], judged: Collection[Kind]
) -> News:
    """What is new of the warnings `found`, which are all that there are of the kinds `judged`.

    `told` is the urgency of each that was told and stands. One that became less urgent is no news:
    it was told, and it still stands.
    """
    stands = {each.name: each for each in found}
    return News(
        tuple(each for name, each in sorted(stands.items()) if each.urgency > told.get(name, -1)),
        tuple(sorted(name for name in told if name not in stands and name[0] in judged)),
    )
