"""Who is asked what: beside brute force, within every limit, and said in words."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.schema import QuestionKind
from tests.workforce.staff import (
    MONDAY,
    block,
    budget,
    contract,
    euros,
    midnight,
    order,
    vendor,
    workforce,
)
from workforce import (
    Allocation,
    Block,
    ExchangeRate,
    Money,
    Quality,
    Spent,
    Vendor,
    Voters,
    Work,
    Workforce,
    allocate,
    bill,
    dealt,
    frontier,
)
from workforce.billing.rates import total

LOCALES = ("de-DE", "ja-JP")
BRITISH = holidays.country_holidays("GB")
FRIDAY = midnight(5)
GOOD, BAD = Quality(400, 400), Quality(50, 100)


def seconds_of(vendor: str, block: Block) -> float:
    return 360.0 if vendor == "vendor-a" else 540.0


def allocated(demand: list[Block], staff: Workforce, **changes: Any) -> Allocation:
    usual = {"starting": MONDAY, "deadline": FRIDAY, "currency": "EUR", "seconds": seconds_of}
    return allocate(demand, staff, **{**usual, **changes})


# --- beside brute force ---------------------------------------------------------------------------


@st.composite
def small(draw: st.DrawFn, *, most: int = 3) -> tuple[list[Block], Workforce, dt.datetime]:
    """Two vendors, up to two blocks of up to `most` questions, and tight limits of every sort."""
    cents = st.integers(1, 12).map(lambda n: str(Decimal(n) / 4))
    records: list[Any] = []
    for site in ("vendor-a", "vendor-b"):
        served = draw(st.sets(st.sampled_from(LOCALES), min_size=1))
        own = {"paid_hours_per_day": draw(st.sampled_from(["0.15", "0.45"]))}
        closed = draw(st.sets(st.integers(0, 2)))
        records.append(
            vendor(
                site,
                people=draw(st.integers(1, 2)),
                paid_hours_per_day=draw(st.sampled_from(["0.1", "0.3", "0.6"])),
                locales={each: draw(st.sampled_from([{}, own])) for each in sorted(served)},
                closed=[midnight(day).date() for day in sorted(closed)],
            )
        )
        tiers = draw(st.sampled_from([[], [{"above": 1, "price": "0.20"}]]))
        rates = [
            {"unit": "question", "price": draw(cents), "tiers": tiers},
            {"unit": "hour", "price": draw(cents)},
        ]
        records.append(contract(site, rates=rates))
        if draw(st.booleans()):
            records.append(order(draw(cents), site))
    if draw(st.booleans()):
        records.append(budget(draw(cents)))
    demand = [
        block(
            draw(st.integers(1, most)),
            name=name,
            locale=draw(st.sampled_from(LOCALES)),
            value=float(draw(st.integers(1, 5))),
            votes=draw(st.integers(1, 2)),
            voters=draw(st.sampled_from(Voters)),
        )
        for name in ("first", "second")[: draw(st.integers(1, 2))]
    ]
    return demand, workforce(*records), midnight(draw(st.integers(1, 3)))


def days_worked(vendor: Vendor, deadline: dt.datetime) -> int:
    days = (MONDAY.date() + dt.timedelta(n) for n in range((deadline - MONDAY).days))
    return sum(
        day.weekday() < 5 and day not in vendor.closed and day not in BRITISH for day in days
    )


Given = dict[tuple[str, str], int]
"""Questions by block and vendor."""


def works_of(demand: list[Block], given: Given, vendor: str) -> list[Work]:
    works = []
    for each in demand:
        answers = given.get((each.name, vendor), 0) * each.votes_of_a_vendor
        if answers:
            paid = seconds_of(vendor, each) * answers
            labels = each.n_labels * answers / each.votes
            works.append(
                Work(each.locale, each.kind, answers, each.n_pictures * answers, paid, labels)
            )
    return works


def cost_of(demand: list[Block], staff: Workforce, given: Given, vendor: str) -> Money:
    agreed = staff.contract(vendor, MONDAY.date())
    assert agreed is not None
    return total(bill(agreed, works_of(demand, given, vendor)), agreed.currency)


def broken(
    demand: list[Block], staff: Workforce, deadline: dt.datetime, given: Given
) -> Iterator[str]:
    """Every limit that is broken, counted without the program."""
    for each in demand:
        counts = [given.get((each.name, vendor.site), 0) for vendor in staff.vendors]
        asked, rest = divmod(sum(counts), each.n_vendors)
        if rest or asked > each.n_questions or max(counts) > asked:
            yield f"{each.name} is asked {counts}"
    spent = euros("0")
    for who in staff.vendors:
        hours: dict[str, float] = defaultdict(float)
        for each in demand:
            n = given.get((each.name, who.site), 0)
            if n and each.locale not in who.locales:
                yield f"{who.site} does not read {each.locale}"
            elif n:
                if who.people_who_read(each.locale) < each.votes_of_a_vendor:
                    yield f"{who.site} has too few people"
                own = who.locales[each.locale].paid_hours_per_day
                pool = each.locale if own else ""
                hours[pool] += n * each.votes_of_a_vendor * seconds_of(who.site, each) / 3600
        for pool, worked in hours.items():
            per_day = who.locales[pool].paid_hours_per_day if pool else None
            room = float(per_day or who.paid_hours_per_day or 0) * days_worked(who, deadline)
            if worked > room + 1e-9:
                yield f"{who.site} works {worked} of {room} hours"
        cost = cost_of(demand, staff, given, who.site)
        spent += cost
        for each in staff.purchase_orders:
            if each.vendor == who.site and each.money < cost:
                yield f"order {each.number} is overdrawn"
    for each in staff.budgets:
        if each.money < spent:
            yield f"budget {each.name} is overdrawn"


def best(demand: list[Block], staff: Workforce, deadline: dt.datetime) -> tuple[float, Money]:
    """The most value and its least cost, of everything that can be given."""
    keys = [(each.name, vendor.site) for each in demand for vendor in staff.vendors]
    most = {each.name: each.n_questions for each in demand}
    found = []
    for counts in product(*(range(most[name] + 1) for name, _ in keys)):
        given = dict(zip(keys, counts, strict=True))
        if not any(broken(demand, staff, deadline, given)):
            value = sum(
                each.value * sum(given[each.name, v.site] for v in staff.vendors) / each.n_vendors
                for each in demand
            )
            cost = sum(
                (cost_of(demand, staff, given, v.site).amount for v in staff.vendors), Decimal(0)
            )
            found.append((-value, cost))
    value, cost = min(found)
    return -value, Money(cost, "EUR")


def given_by(allocation: Allocation) -> Given:
    return {(each.block, each.vendor): each.n_questions for each in allocation.assignments}


@settings(max_examples=60)
@given(small())
def test_nothing_is_better_and_nothing_as_good_is_cheaper(
    problem: tuple[list[Block], Workforce, dt.datetime],
) -> None:
    demand, staff, deadline = problem
    found = allocated(demand, staff, deadline=deadline)
    value, cost = best(demand, staff, deadline)
    assert found.cost is not None
    assert (found.value, found.cost.rounded()) == (value, cost.rounded())


# --- within every limit ---------------------------------------------------------------------------


@settings(max_examples=60)
@given(small(most=40))
def test_no_limit_is_broken_and_the_cost_is_that_of_the_rate_card(
    problem: tuple[list[Block], Workforce, dt.datetime],
) -> None:
    demand, staff, deadline = problem
    found = allocated(demand, staff, deadline=deadline)
    given = given_by(found)
    assert len(given) == len(found.assignments)
    assert list(broken(demand, staff, deadline, given)) == []
    billed = (cost_of(demand, staff, given, each.site).amount for each in staff.vendors)
    assert found.cost is not None
    assert found.cost.rounded() == Money(sum(billed, Decimal(0)), "EUR").rounded()
    for each in found.assignments:
        assert each.done_at is not None
        assert MONDAY < each.done_at <= deadline
    asked = sum(each.n_questions for each in demand)
    left = sum(each.n_questions for each in found.undone)
    placed = sum(
        n / each.n_vendors for each in demand for (name, _), n in given.items() if name == each.name
    )
    assert left + placed == asked


@settings(max_examples=40)
@given(small(most=40), st.integers(0, 40), st.integers(0, 40))
def test_more_money_never_gives_less_value(
    problem: tuple[list[Block], Workforce, dt.datetime], one: int, two: int
) -> None:
    demand, staff, deadline = problem
    less, more = (
        allocated(demand, staff, deadline=deadline, at_most=euros(str(each)))
        for each in sorted((one, two))
    )
    assert less.value <= more.value


@settings(max_examples=40)
@given(small(most=40))
def test_no_vendor_sees_a_question_twice_and_each_question_gets_its_votes(
    problem: tuple[list[Block], Workforce, dt.datetime],
) -> None:
    demand, staff, deadline = problem
    found = allocated(demand, staff, deadline=deadline)
    for each in demand:
        ids = [f"{each.name} {n}" for n in range(each.n_questions)]
        placed = dealt(found, each, ids)
        assert list(placed) == ids[: len(placed)]
        assert all(
            len(set(vendors)) == each.n_vendors == len(vendors) for vendors in placed.values()
        )
        for who in staff.vendors:
            n = given_by(found).get((each.name, who.site), 0)
            assert sum(who.site in vendors for vendors in placed.values()) == n


# --- one limit at a time --------------------------------------------------------------------------

TWO = (vendor(), vendor("vendor-b"), contract(), contract("vendor-b"))


def n_given(found: Allocation, vendor: str) -> int:
    return sum(each.n_questions for each in found.assignments if each.vendor == vendor)


def test_work_with_an_earlier_due_date_is_done_first() -> None:
    """Ten questions take an hour; eight hours a day."""
    later = block(80, name="later", value=2.0)
    sooner = block(80, name="sooner", due=midnight(1))
    found = allocated([later, sooner], workforce(vendor(), contract()))
    done = {each.block: each.done_at for each in found.assignments}
    assert done == {
        "sooner": MONDAY + dt.timedelta(hours=17),
        "later": midnight(1) + dt.timedelta(hours=17),
    }


def test_what_is_due_sooner_than_the_turnaround_is_a_rush_or_not_given() -> None:
    slow = {"turnaround": [{"working_days": 6}]}
    agreed = contract(**slow, rush={"working_days": 2, "factor": 2})
    refused = allocated([block(10)], workforce(vendor(), contract(**slow)))
    rushed = allocated([block(10)], workforce(vendor(), agreed))
    assert refused.assignments == ()
    assert "turnaround of 6 working days ends Mon 23 Nov" in refused.undone[0].sentence
    assert rushed.cost == euros("10")
    assert "at the price of a rush" in rushed.choices[0].sentence


def test_the_plan_ends_with_the_contract_version_and_with_the_order() -> None:
    """Of five days, Monday and Tuesday are left: 160 questions."""
    tuesday = midnight(1).date()
    ending = workforce(vendor(), contract(ends=tuesday))
    followed = workforce(vendor(), contract(), contract(version=2, starts=midnight(2).date()))
    ordered = workforce(vendor(), contract(), order("1000", ends=tuesday))
    for staff in (ending, followed, ordered):
        assert n_given(allocated([block(400)], staff), "vendor-a") == 160


def test_a_vendor_whose_order_has_ended_gets_nothing() -> None:
    found = allocated([block(10)], workforce(vendor(), contract(), order("99", ends="2026-10-31")))
    assert found.undone[0].sentence == (
        "de-DE verify: 10 of 10 cannot be done: vendor-a: no purchase order for it is in force on"
        " 2026-11-16."
    )


def test_what_was_spent_is_left_no_more() -> None:
    staff = workforce(vendor(), contract(), order("20"), budget("30"))
    spent = Spent(orders={"of vendor-a": euros("16")}, budgets={"2026": euros("27")})
    found = allocated([block(10)], staff, spent=spent)
    assert n_given(found, "vendor-a") == 6
    assert found.undone[0].sentence == (
        "de-DE verify: 4 of 10 cannot be done: vendor-a: budget 2026 has EUR 0.00 left."
    )


def test_an_overdrawn_budget_stops_its_locale_and_no_other() -> None:
    staff = workforce(
        vendor(locales={"de-DE": {}, "ja-JP": {}}), contract(), budget("1", locales=["ja-JP"])
    )
    demand = [block(10, name=each, locale=each) for each in LOCALES]
    found = allocated(demand, staff, spent=Spent(budgets={"2026": euros("5")}))
    assert given_by(found) == {("de-DE", "vendor-a"): 10}


def test_a_budget_of_one_locale_does_not_limit_another() -> None:
    staff = workforce(
        vendor(locales={"de-DE": {}, "ja-JP": {}}), contract(), budget("1", locales=["ja-JP"])
    )
    demand = [block(10, name=each, locale=each) for each in LOCALES]
    assert given_by(allocated(demand, staff)) == {
        ("de-DE", "vendor-a"): 10,
        ("ja-JP", "vendor-a"): 2,
    }


def test_who_is_shown_to_be_below_the_bar_gets_nothing_and_who_is_not_known_a_trial() -> None:
    """vendor-b is cheaper, but nobody knows how good; of vendor-a it is known."""
    staff = workforce(*TWO[:3], contract("vendor-b", rates=[{"unit": "question", "price": "0.10"}]))
    bars = {"de-DE": 0.95}
    known = {("vendor-a", "de-DE"): GOOD}
    trial = allocated([block(100)], staff, bars=bars, quality=known)
    assert (n_given(trial, "vendor-a"), n_given(trial, "vendor-b")) == (90, 10)
    proven = allocated(
        [block(100)], staff, bars=bars, quality={**known, ("vendor-b", "de-DE"): GOOD}
    )
    assert n_given(proven, "vendor-b") == 100
    failed = allocated(
        [block(100)], staff, bars=bars, quality={**known, ("vendor-b", "de-DE"): BAD}
    )
    assert n_given(failed, "vendor-b") == 0
    assert "50 of 100 gold answers in de-DE are right" in failed.choices[0].sentence


def test_where_nobody_is_known_everybody_may_begin() -> None:
    found = allocated([block(100)], workforce(*TWO), bars={"de-DE": 0.95})
    assert found.undone == ()


def test_the_minimum_of_a_month_is_worked_off_before_anything_else_is_paid() -> None:
    """vendor-b is dearer, but EUR 20 are owed to it whatever it does: 33 questions at EUR .60.

    Of the 34th it takes EUR .20 from these, so that it is cheaper than vendor-a, too.
    """
    dear = [{"unit": "question", "price": "0.60"}]
    staff = workforce(*TWO[:3], contract("vendor-b", rates=dear, minimum_per_month="20"))
    found = allocated([block(100)], staff)
    assert n_given(found, "vendor-b") == 34
    assert found.committed == euros("20")
    billed = allocated([block(100)], staff, spent=Spent(month={"vendor-b": euros("20")}))
    assert n_given(billed, "vendor-b") == 0


def test_currencies_are_compared_by_the_dated_rate() -> None:
    """JPY 80 are EUR .50 at 160, and EUR .40 at 200."""
    staff = [
        *TWO[:3],
        contract("vendor-b", currency="JPY", rates=[{"unit": "question", "price": 80}]),
    ]

    def rate(day: int, worth: int) -> ExchangeRate:
        return ExchangeRate(of="EUR", into="JPY", on=dt.date(2026, 11, day), rate=Decimal(worth))

    cheap = allocated([block(10)], workforce(*staff, rate(1, 150), rate(16, 200)))
    dear = allocated([block(10)], workforce(*staff, rate(1, 150), rate(17, 200)))
    assert (n_given(cheap, "vendor-b"), cheap.cost) == (10, euros("4"))
    assert n_given(dear, "vendor-a") == 10
    assert "vendor-b is 7 % dearer" in dear.choices[0].sentence


def test_a_choice_is_one_sentence_with_its_figures() -> None:
    cheap = contract("vendor-b", rates=[{"unit": "question", "price": "0.40"}])
    staff = workforce(*TWO[:3], cheap, order("48.00", "vendor-b"), order("90", "vendor-a"))
    found = allocated([block(200)], staff)
    assert found.sentences == [
        "de-DE verify: 80 of 200 to vendor-a, EUR 40.00, done Mon 16 Nov; vendor-b is 20 %"
        " cheaper and its purchase order of vendor-b has EUR 0.00 left.",
        "de-DE verify: 120 of 200 to vendor-b, EUR 48.00, done Wed 18 Nov; vendor-a is 25 % "
        "dearer.",
    ]


def test_nobody_serves_a_locale() -> None:
    found = allocated([block(3, locale="pl-PL")], workforce(*TWO))
    assert found.sentences == [
        "pl-PL verify: 3 of 3 cannot be done: no vendor that is recorded serves pl-PL."
    ]


def test_nothing_to_ask_is_an_empty_plan() -> None:
    found = allocated([], workforce(*TWO))
    assert (found.assignments, found.value, found.cost) == ((), 0, euros("0"))


# --- the frontier ---------------------------------------------------------------------------------


def test_the_frontier_has_no_point_that_another_one_beats() -> None:
    dear = contract("vendor-b", rates=[{"unit": "question", "price": "0.90"}])
    staff = workforce(*TWO[:3], dear)
    demand = [block(300), block(300, name="second", kind=QuestionKind.MERGE, value=0.5)]

    def plan(at_most: Money, deadline: dt.datetime) -> Allocation:
        return allocated(demand, staff, at_most=at_most, deadline=deadline)

    budgets = [euros(str(each)) for each in (0, 40, 80, 160, 640)]
    points = frontier(plan, budgets, [midnight(day) for day in (1, 2, 5)])
    figures = [(-each.value, each.cost.amount, each.finished_at) for each in points]
    assert len(points) > 3
    for one, two in product(figures, repeat=2):
        assert one == two or any(a > b for a, b in zip(one, two, strict=True))
    assert len(set(figures)) == len(figures)
    assert points[-1].value == max(plan(budgets[-1], FRIDAY).value, points[-1].value)


def test_blocks_have_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="one name"):
        allocated([block(1), replace(block(1), value=2.0)], workforce(*TWO))
