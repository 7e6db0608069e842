"""A business review, and a portfolio of them, put together from what was measured and paid.

Amounts are rounded here, once, so that every form shows the same and totals add what is seen.
Nothing is computed from the catalogue: figures, statements, forecasts and warnings come in,
and what a leader should make of them comes out: lights, causes, risks, actions and advice.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pandas as pd

from workforce.billing.totals import totals
from workforce.money import Money
from workforce.performance.figures import Cell
from workforce.periods import Period
from workforce.records import Workforce
from workforce.records.contracts import Contract
from workforce.reviews.causes import parts, variance_said
from workforce.reviews.follow_up import LATER, actions, recommendation, risks
from workforce.reviews.material import Material
from workforce.reviews.review import (
    Action,
    BudgetLine,
    Credit,
    InvoiceLine,
    Level,
    Light,
    LocaleLine,
    OrderLine,
    Portfolio,
    Review,
    Risk,
    Said,
    Score,
    SpendLine,
    Trend,
    Value,
)
from workforce.reviews.scorecard import Scorecard, overall, scores

Line = TypeVar("Line", SpendLine, InvoiceLine, OrderLine, Credit, LocaleLine, BudgetLine)


def review(material: Material, workforce: Workforce, scorecard: Scorecard) -> Review:
    """The review of a vendor, in the currency of the contract that is newest in the period."""
    material = replace(
        material,
        spend=_rounded(material.spend),
        invoices=_rounded(material.invoices),
        orders=_rounded(material.orders),
        credits=_rounded(material.credits),
    )
    vendor, period = material.vendor, material.period
    versions = in_force(workforce, vendor.site, period)
    contract = versions[-1] if versions else None
    currency = contract.currency if contract else _currency(material)
    whole = Cell(period, vendor.site)
    lines = scores(scorecard, contract, material.figures, material.before, whole)
    earlier = scores(scorecard, contract, material.before, (), whole)
    light = overall(lines)
    explained = {id(line): parts(line, material.figures) for line in lines if _fails(line)}
    off = [line for line in material.invoices if line.is_off]
    return Review(
        vendor=vendor.site,
        vendor_name=vendor.name,
        period=period,
        as_of=material.as_of,
        contracts=tuple(each.key for each in versions),
        currency=currency,
        light=light,
        summary=tuple(_summary(material, lines, light, currency)),
        scores=lines,
        figures=tuple(material.figures),
        trends=tuple(material.trends),
        causes=(
            *(part.said for found in explained.values() for part in found),
            *variance_said(material.components),
            *_alarms(material.trends),
        ),
        confused=tuple(material.confused),
        spend=tuple(material.spend),
        invoices=tuple(material.invoices),
        orders=tuple(material.orders),
        credits=tuple(material.credits),
        risks=(*material.risks, *risks(material, lines, contract, off)),
        actions=actions(material, lines, contract, off),
        recommendation=recommendation(material, lines, earlier, light, contract, off),
    )


def portfolio(
    period: Period,
    as_of: dt.date,
    currency: str,
    reviews: Sequence[Review],
    locales: Sequence[LocaleLine] = (),
    budgets: Sequence[BudgetLine] = (),
    warned: Sequence[Risk] = (),
) -> Portfolio:
    """All vendors beside one another; the worst vendor and the worst budget give the light.

    `warned` are warnings that stand and are no single vendor's. The actions are those of the
    reviews, and one for each budget that will not do.
    """
    locales, budgets = _rounded(locales), _rounded(budgets)
    over = [line for line in budgets if not _fits(line)]
    by = (pd.Timestamp(as_of) + pd.offsets.BusinessDay(int(LATER))).date()
    revisions = [
        Action(Said("action.budget", {"budget": line.name}), Said("owner.program"), by)
        for line in over
    ]
    lights = [each.light for each in reviews] + [Light.RED for _ in over]
    return Portfolio(
        period=period,
        as_of=as_of,
        currency=currency,
        light=worst(lights),
        summary=tuple(_summary_of_all(reviews, locales, over)),
        reviews=tuple(reviews),
        locales=locales,
        budgets=budgets,
        risks=(
            *warned,
            *(
                Risk(_of(each, risk.what), risk.light)
                for each in reviews
                for risk in each.risks
                if risk.light == Light.RED
            ),
            *(Risk(_over(line, "risk.budget"), Light.RED) for line in over),
        ),
        actions=tuple(
            sorted(
                [
                    *revisions,
                    *(
                        Action(_of(each, action.what), action.owner, action.due)
                        for each in reviews
                        for action in each.actions
                    ),
                ],
                key=lambda action: action.due,
            )
        ),
    )


def in_force(workforce: Workforce, vendor: str, period: Period) -> list[Contract]:
    """The versions of a vendor's contract that hold on some day of a period, by version."""
    return sorted(
        (
            each
            for each in workforce.contracts
            if each.vendor == vendor
            and each.starts <= period.ends
            and workforce.last_day(each) >= period.starts
        ),
        key=lambda each: each.version,
    )


def worst(lights: Iterable[Light]) -> Light:
    """The light that a leader must see first; grey where there is none."""
    order = (Light.RED, Light.AMBER, Light.GREEN)
    found = set(lights)
    return next((light for light in order if light in found), Light.GREY)


def locale_light(
    deadline: dt.date | None, p50: dt.date | None, p85: dt.date | None, n_overdue: int
) -> Light:
    """Green where a locale is done in time in 85 of 100 cases, red where in less than half."""
    if deadline is None or p50 is None or p85 is None:
        return Light.AMBER if n_overdue else Light.GREY
    if p50 > deadline:
        return Light.RED
    return Light.GREEN if p85 <= deadline and not n_overdue else Light.AMBER


def _rounded(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The same with each amount to the smallest unit of its currency."""

    def amounts(line: Line) -> dict[str, Any]:
        known = vars(line).items()
        return {name: value.rounded() for name, value in known if isinstance(value, Money)}

    return tuple(replace(line, **amounts(line)) for line in lines)


def _of(review: Review, what: Said) -> Said:
    """What is said of one vendor, where all of them are spoken of."""
    return Said("of_vendor", {"vendor": review.vendor_name, "what": what})


def _fails(line: Score) -> bool:
    return line.light in (Light.RED, Light.AMBER)


def _currency(material: Material) -> str:
    amounts = [line.agreed for line in material.spend] + [each.amount for each in material.orders]
    return amounts[0].currency if amounts else "EUR"


def _summary(
    material: Material, lines: Sequence[Score], light: Light, currency: str
) -> Iterable[Said]:
    yield Said(f"summary.{light}", {"vendor": material.vendor.name})
    known = [line for line in lines if line.light != Light.GREY]
    if known:
        met = sum(line.light == Light.GREEN for line in known)
        yield Said("summary.met", {"n": met, "of": len(known)})
    for line in lines:
        if line.light == Light.RED:
            yield _missed(line)
    if not material.spend:
        yield Said("summary.no_answers")
    for spent in _known(totals((line.agreed for line in material.spend), currency)):
        yield Said("summary.spend", {"money": spent})
    for variance in _known(totals((line.variance for line in material.invoices), currency)):
        if variance.amount > 0:
            yield Said("summary.variance", {"money": variance})
        else:
            less = Money(-variance.amount, variance.currency)
            yield Said("summary.variance_less", {"money": less})
    for credit in _known(totals((each.amount for each in material.credits), currency)):
        yield Said("summary.credits", {"money": credit})


def _known(amounts: Iterable[Money]) -> Iterable[Money]:
    """Those that are something."""
    return (each for each in amounts if each.amount)


def _missed(line: Score) -> Said:
    figure, metric = line.figure, line.figure.metric
    assert figure.value is not None
    assert line.target is not None
    said: dict[str, Value] = {
        "metric": metric,
        "value": Level(metric, figure.value),
        "target": Level(metric, line.target),
        "n": figure.n,
    }
    if figure.low is None or figure.high is None:
        return Said("summary.missed_point", said)
    ends = {"low": Level(metric, figure.low), "high": Level(metric, figure.high)}
    return Said("summary.missed", said | ends)


def _alarms(trends: Iterable[Trend]) -> list[Said]:
    return [
        Said(
            "cause.alarm", {"metric": each.metric, "n": len(each.alarms), "period": each.alarms[0]}
        )
        for each in trends
        if each.alarms
    ]


def _summary_of_all(
    reviews: Sequence[Review], locales: Sequence[LocaleLine], over: Sequence[BudgetLine]
) -> Iterable[Said]:
    counts = {light: sum(each.light == light for each in reviews) for light in Light}
    yield Said(
        "summary.vendors",
        {"n": len(reviews), **{light.value: n for light, n in counts.items()}},
    )
    for each in reviews:
        if each.light == Light.RED:
            yield Said("summary.red", {"vendor": each.vendor_name})
    latest = max(locales, key=lambda line: line.overdue_questions, default=None)
    if latest is not None and latest.overdue_questions:
        n = sum(line.overdue_questions for line in locales)
        yield Said("summary.overdue", {"n": n, "locale": latest.locale})
    for line in over:
        yield _over(line, "summary.over_budget")


def _at_the_end(line: BudgetLine) -> Money:
    return line.forecast_p50 or line.estimate_as_so_far or line.estimate_as_planned


def _fits(line: BudgetLine) -> bool:
    return _at_the_end(line) <= line.at_completion


def _over(line: BudgetLine, key: str) -> Said:
    money = _at_the_end(line)
    over = money - line.at_completion
    if key == "risk.budget":
        return Said(key, {"budget": line.name, "money": over})
    return Said(key, {"budget": line.name, "money": money, "over": over})
