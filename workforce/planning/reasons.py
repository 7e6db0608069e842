"""An allocation in words: each choice in one sentence with its figures, and what is not done."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from workforce.billing.rates import SECONDS_PER_HOUR
from workforce.money import Money, nothing
from workforce.planning.demand import Block
from workforce.planning.options import Counts, Option, bills, day
from workforce.planning.outcome import Allocation, Assignment, Choice, Undone
from workforce.planning.plan import Plan

Obstacles = Mapping[str, Mapping[str, str]]
"""By block and vendor, why the vendor cannot answer any of its questions."""


def told(plan: Plan, counts: Counts, obstacles: Obstacles, starting: dt.datetime) -> Allocation:
    """The allocation that `counts` are, with the reasons for it."""
    done = finished(plan.options, counts, starting)
    costs = _costs(plan, counts)
    groups: dict[tuple[str, str], list[Block]] = defaultdict(list)
    for block in plan.demand:
        groups[block.locale, block.kind].append(block)
    choices: list[Choice] = []
    undone: list[Undone] = []
    for (locale, kind), blocks in groups.items():
        members = [i for block in blocks for i in plan.of_block.get(block.name, [])]
        n = sum(block.n_questions for block in blocks)
        for vendor in dict.fromkeys(plan.options[i].vendor for i in members if counts[i]):
            given = [i for i in members if counts[i] and plan.options[i].vendor == vendor]
            n_given = sum(counts[i] for i in given)
            done_at, cost = max(done[i] for i in given), costs[locale, kind, vendor]
            rush = " at the price of a rush" if any(plan.options[i].rush for i in given) else ""
            sentence = "; ".join(
                [
                    f"{locale} {kind}: {n_given:,} of {n:,} to {vendor}, {cost},"
                    f" done {day(done_at)}{rush}",
                    *_beside(plan, counts, given[-1], obstacles),
                ]
            )
            choices.append(Choice(locale, kind, vendor, n_given, cost, done_at, f"{sentence}."))
        left = {block.name: block.n_questions - _asked(plan, counts, block) for block in blocks}
        if n_left := sum(left.values()):
            first = next(block for block in blocks if left[block.name])
            why = "; ".join(_what_stops(plan, counts, first, obstacles))
            sentence = f"{locale} {kind}: {n_left:,} of {n:,} cannot be done: {why}."
            undone.append(Undone(locale, kind, n_left, sentence))
    assigned = [(i, each) for i, each in enumerate(plan.options) if counts[i]]
    committed = {
        vendor: plan.converted(plan.options[members[0]].offer.committed)
        for vendor, members in plan.of_vendor.items()
    }
    return Allocation(
        tuple(Assignment(each.block.name, each.vendor, counts[i], done[i]) for i, each in assigned),
        tuple(choices),
        tuple(undone),
        sum(block.value * _asked(plan, counts, block) for block in plan.demand),
        sum(costs.values(), nothing(plan.currency)),
        sum(committed.values(), nothing(plan.currency)),
        max((done[i] for i, _ in assigned), default=None),
    )


def finished(
    options: Sequence[Option], counts: Counts, starting: dt.datetime
) -> dict[int, dt.datetime]:
    """When each option that has questions is done with them.

    A pool of hours works in the order of the due dates and then of the demand, so that whatever
    fits before each due date is done by then.
    """
    done = {}
    worked: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    asked = [i for i in range(len(options)) if counts[i]]
    for i in sorted(asked, key=lambda i: (options[i].due, i)):
        each = options[i]
        worked[each.pool] += each.seconds * counts[i]
        hours = Fraction(each.offer.vendor.hours_per_day(each.block.locale))
        days = worked[each.pool] / (hours * SECONDS_PER_HOUR)
        done[i] = each.offer.calendar.after(starting, days)
    return done


def _costs(plan: Plan, counts: Counts) -> dict[tuple[str, str, str], Money]:
    """What is billed, by locale, kind and vendor."""
    costs: dict[tuple[str, str, str], Money] = defaultdict(lambda: nothing(plan.currency))
    for vendor, members in plan.of_vendor.items():
        for line in bills(plan.options, counts, members):
            costs[line.work.locale, line.work.kind, vendor] += plan.converted(line.money)
    return costs


def _asked(plan: Plan, counts: Counts, block: Block) -> int:
    return sum(counts[i] for i in plan.of_block.get(block.name, [])) // block.n_vendors


def _beside(plan: Plan, counts: Counts, given: int, obstacles: Obstacles) -> list[str]:
    """What speaks against each other vendor who serves the locale of the option `given`."""
    chosen = plan.options[given]
    without = [n - (i == given) for i, n in enumerate(counts)]
    said = []
    for i in plan.of_block[chosen.block.name]:
        other = plan.options[i]
        if i == given:
            continue
        why = plan.why_not(without, i)
        if counts[i] == chosen.block.n_questions and chosen.block.n_vendors > 1:
            why = ["it sees each question once already"]
        price = _compared(plan.converted(other.price), plan.converted(chosen.price))
        said.append(f"{other.vendor} is {price}{' and ' if why else ''}{' and '.join(why)}")
    for vendor, why_none in obstacles.get(chosen.block.name, {}).items():
        said.append(f"{vendor} gets none, for {why_none}")
    return sorted(said)


def _compared(price: Money, chosen: Money) -> str:
    if price == chosen:
        return "as dear"
    word = "dearer" if chosen < price else "cheaper"
    if not chosen.amount:
        return word
    difference = abs(price.amount / chosen.amount - Decimal(1))
    return f"{difference * 100:.0f} % {word}"


def _what_stops(plan: Plan, counts: Counts, block: Block, obstacles: Obstacles) -> list[str]:
    """Why no vendor gets another question of `block`."""
    said = [f"{vendor}: {why}" for vendor, why in obstacles.get(block.name, {}).items()]
    for i in plan.of_block.get(block.name, []):
        why = plan.why_not(counts, i) or ["no question more pays beside the others"]
        said.append(f"{plan.options[i].vendor}: {' and '.join(why)}")
    if block.n_vendors > 1:
        said.append(f"each question needs {block.n_vendors} vendors")
    return said or [f"no vendor that is recorded serves {block.locale}"]
