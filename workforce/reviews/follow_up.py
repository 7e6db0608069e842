"""What should follow from a review: risks, actions with owners and dates, and advice."""

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction

from workforce.billing.totals import totals
from workforce.performance.definitions import DEFINITIONS
from workforce.records.calendar import WorkingCalendar
from workforce.records.contracts import Contract
from workforce.reviews.causes import parts
from workforce.reviews.material import Material
from workforce.reviews.review import (
    Action,
    Advice,
    InvoiceLine,
    Level,
    Light,
    Recommendation,
    Risk,
    Said,
    Score,
    Value,
)

SOON, LATER = Fraction(5), Fraction(10)
"""Working days within which money is to be claimed, and quality to be agreed on."""

NOTICE_AHEAD = dt.timedelta(days=60)
TIME_TO_MEASURE = dt.timedelta(days=30)


def risks(
    material: Material,
    lines: Sequence[Score],
    contract: Contract | None,
    off: Sequence[InvoiceLine],
) -> list[Risk]:
    found = []
    for line in lines:
        metric = line.figure.metric
        if line.light == Light.RED:
            key = "risk.over" if DEFINITIONS[metric].less_is_better else "risk.missed"
            found.append(Risk(Said(key, {"metric": metric}), Light.RED))
        elif line.light == Light.AMBER:
            said = Said("risk.unshown", {"metric": metric, "n": line.figure.n})
            found.append(Risk(said, Light.AMBER))
    for order in material.orders:
        until = order.runs_out_p85
        if until is not None and until < order.ends:
            said = Said("risk.order", {"order": order.number, "day": until, "ends": order.ends})
            found.append(Risk(said, Light.RED if until <= material.as_of else Light.AMBER))
    if contract is not None and _notice_is_near(contract, material.as_of):
        assert contract.notice_by is not None
        said = Said("risk.notice", {"contract": contract.key, "day": contract.notice_by})
        found.append(Risk(said, Light.AMBER))
    found += [
        Risk(
            Said(
                "risk.variance",
                {"invoice": line.invoice, "line": line.line, "money": line.variance},
            ),
            Light.RED,
        )
        for line in off
        if line.variance.amount > 0
    ]
    return found


def actions(
    material: Material,
    lines: Sequence[Score],
    contract: Contract | None,
    off: Sequence[InvoiceLine],
) -> tuple[Action, ...]:
    calendar, today = WorkingCalendar(material.vendor), material.as_of
    soon, later = due(calendar, today, SOON), due(calendar, today, LATER)
    vendor = Said("owner.vendor", {"vendor": material.vendor.name})
    found = []
    for line in lines:
        metric = line.figure.metric
        if line.light == Light.RED and line.target is not None:
            worst_parts = parts(line, material.figures, 1)
            asked: dict[str, Value] = {"metric": metric, "target": Level(metric, line.target)}
            if worst_parts:
                cell = worst_parts[0].figure.cell
                place = {"locale": cell.locale or "", "kind": cell.kind or ""}
                found.append(Action(Said("action.improve", asked | place), vendor, later))
            else:
                found.append(Action(Said("action.improve_all", asked), vendor, later))
        elif line.light == Light.AMBER:
            said_of = Said("action.evidence", {"metric": metric, "n": line.figure.n})
            found.append(Action(said_of, Said("owner.quality"), later))
    for each in off:
        if each.variance.amount > 0:
            what = Said(
                "action.dispute",
                {"invoice": each.invoice, "line": each.line, "money": each.variance},
            )
            found.append(Action(what, Said("owner.finance"), soon))
    for credit in material.credits:
        if credit.amount.amount > 0:
            what = Said("action.credit", {"money": credit.amount, "contract": credit.contract})
            found.append(Action(what, Said("owner.finance"), soon))
    for order in material.orders:
        if order.runs_out_p85 is not None and order.runs_out_p85 < order.ends:
            what = Said("action.order", {"order": order.number})
            found.append(Action(what, Said("owner.procurement"), max(soon, today)))
    if contract is not None and _notice_is_near(contract, today):
        assert contract.notice_by is not None
        what = Said("action.notice", {"contract": contract.key, "day": contract.notice_by})
        found.append(Action(what, Said("owner.program"), contract.notice_by))
    return tuple(sorted(found, key=lambda action: action.due))


def _notice_is_near(contract: Contract, today: dt.date) -> bool:
    return contract.notice_by is not None and today <= contract.notice_by <= today + NOTICE_AHEAD


def recommendation(
    material: Material,
    lines: Sequence[Score],
    earlier: Sequence[Score],
    light: Light,
    contract: Contract | None,
    off: Sequence[InvoiceLine],
) -> Recommendation | None:
    """What to do about the contract; None where none was in force.

    Renew what is shown to be good, renegotiate what is missed or billed wrongly, replace what was
    missed twice where others are shown to do better, and wait where nothing is shown yet.
    """
    if contract is None:
        return None
    missed = [line.figure.metric for line in lines if line.light == Light.RED]
    missed_before = [line.figure.metric for line in earlier if line.light == Light.RED]
    again = [metric for metric in dict.fromkeys(missed) if metric in missed_before]
    billed = [
        each
        for each in totals((line.variance for line in off), contract.currency)
        if each.amount > 0
    ]
    because = [Said("because.missed", {"metric": metric}) for metric in dict.fromkeys(missed)]
    because += [Said("because.again", {"metric": metric}) for metric in again]
    because += [Said("because.overbilled", {"money": money}) for money in billed]
    if again:
        because += [Said("because.peer", {"vendor": name}) for name in material.peers]
        if not material.peers:
            because.append(Said("because.no_peer"))
    if again and material.peers:
        advice = Advice.REPLACE
    elif missed or billed:
        advice = Advice.RENEGOTIATE
    elif light == Light.GREEN:
        advice = Advice.RENEW
        because.append(Said("because.green"))
    else:
        advice, said = _undecided(lines, contract, material.as_of)
        because += said
    notice = contract.notice_by
    ahead = notice if notice is not None and notice >= material.as_of else None
    return Recommendation(advice, ahead, tuple(because))


def _undecided(
    lines: Sequence[Score], contract: Contract, today: dt.date
) -> tuple[Advice, list[Said]]:
    """What is advised while neither good nor bad is shown: to wait, as long as there is time."""
    unshown = [line.figure.metric for line in lines if line.light == Light.AMBER]
    because = [Said("because.unshown", {"metric": metric}) for metric in dict.fromkeys(unshown)]
    if not unshown:
        because = [Said("because.grey")]
    if contract.notice_by is not None and today <= contract.notice_by < today + TIME_TO_MEASURE:
        return Advice.RENEGOTIATE, because
    return Advice.WAIT, [*because, Said("because.time")]


def due(calendar: WorkingCalendar, day: dt.date, working_days: Fraction) -> dt.date:
    """The working day that is so many working days after `day`."""
    start = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC)
    return calendar.after(start, working_days).date()
