"""How many questions each option gets: a program of whole numbers, counted again exactly.

    maximise    sum_b value_b q_b,  then minimise  sum_v e_v
    subject to  sum_v y_bv = n_b q_b,  y_bv <= q_b             n_b vendors see each question
                sum_bv seconds_bv y_bv <= hours until d        in each pool of hours, for each due d
                c_v <= what v's purchase orders leave,  sum of costs <= what each budget leaves
                e_v >= c_v - what v is owed anyway,  e_v >= 0  the month's minimum
                c_v = sum_b price_bv y_bv - sum_t saving_t k_t  k_t: units beyond the step of tier t

A budget that holds for some of a vendor's locales counts list prices, since the tiers are reached
by all of them together. The solver works in floating point: should a limit be broken by a hair, the
least valuable question goes.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from workforce.money import Money
from workforce.planning.demand import Block
from workforce.planning.options import Counts, Funds, Limit, Option, Share
from workforce.planning.program import Program, Terms
from workforce.records import Workforce

# How much of the best value the cheapest plan may lack: less than a question of a small demand.
SLACK = 1e-4


@dataclass(frozen=True)
class Plan:
    """The options for a demand, and all that limits them; costs are compared in `currency`."""

    demand: Sequence[Block]
    options: Sequence[Option]
    shares: Sequence[Share]
    funds: Sequence[Funds]
    workforce: Workforce
    currency: str
    on: dt.date

    @cached_property
    def of_vendor(self) -> dict[str, list[int]]:
        """The options of each vendor."""
        return _grouped(each.vendor for each in self.options)

    @cached_property
    def of_block(self) -> dict[str, list[int]]:
        """The options for each block."""
        return _grouped(each.block.name for each in self.options)

    @property
    def limits(self) -> list[Limit]:
        return [*self.shares, *self.funds]

    def converted(self, money: Money) -> Money:
        return self.workforce.convert(money, self.currency, self.on)

    def solved(self) -> list[int]:
        """The counts of most value at the least cost that keep every limit."""
        return self._within_limits(self._program())

    def why_not(self, counts: Counts, index: int) -> list[str]:
        """The limits that keep an option from getting one question more."""
        more = [*counts]
        more[index] += 1
        return [
            each.why(counts)
            for each in self.limits
            if index in each.members and not each.holds(more)
        ]

    def _program(self) -> list[int]:
        program = Program()
        counts = [program.count(each.block.n_questions) for each in self.options]
        values: dict[int, float] = {}
        for block in self.demand:
            seen = {counts[i]: 1.0 for i in self.of_block.get(block.name, [])}
            if block.n_vendors == 1:
                values.update(dict.fromkeys(seen, block.value))
                program.at_most(seen, block.n_questions)
            else:
                asked = program.count(block.n_questions)
                values[asked] = block.value
                program.equal({**seen, asked: -float(block.n_vendors)}, 0)
                for variable in seen:
                    program.at_most({variable: 1.0, asked: -1.0}, 0)
        for share in self.shares:
            uses = {counts[i]: float(use) for i, use in share.uses.items()}
            program.at_most(uses, float(share.amount))
        savings = self._savings(program, counts)
        for fund in self.funds:
            cost = self._cost(fund.members, counts, savings, fund.left.currency)
            program.at_most(cost, float(fund.left.amount))
        best = program.least({variable: -value for variable, value in values.items()})
        if best is None:
            return [0] * len(self.options)
        reached = sum(value * round(best[variable]) for variable, value in values.items())
        program.at_least(values, reached * (1 - SLACK))
        objective: dict[int, float] = {}
        for members in self.of_vendor.values():
            owed = self.converted(self.options[members[0]].offer.committed)
            extra = program.variable(float("inf"))
            cost = self._cost(members, counts, savings, self.currency)
            program.at_most({**cost, extra: -1.0}, float(owed.amount))
            objective[extra] = 1.0
        cheapest = program.least(objective)
        solution = best if cheapest is None else cheapest
        return [round(solution[variable]) for variable in counts]

    def _within_limits(self, counts: list[int]) -> list[int]:
        """`counts` less the least valuable questions that break a limit."""
        while broken := next((each for each in self.limits if not each.holds(counts)), None):
            asked = (i for i in broken.members if counts[i])
            taken = min(asked, key=lambda i: self.options[i].block.value)
            block = self.options[taken].block
            others = [i for i in self.of_block[block.name] if i != taken]
            others.sort(key=lambda i: -counts[i])
            for i in [taken, *others[: block.n_vendors - 1]]:
                counts[i] -= 1
        return counts

    def _savings(self, program: Program, counts: Sequence[int]) -> dict[str, dict[int, float]]:
        """What the tiers of each vendor save: variables of the program, with what one unit saves.

        The units beyond a step count only where all units reach it: `beyond <= units - above`.
        """
        savings: dict[str, dict[int, float]] = defaultdict(dict)
        for vendor, members in self.of_vendor.items():
            for rate in self.options[members[0]].offer.contract.rates:
                held = [
                    (i, each)
                    for i in members
                    for each in [self.options[i]]
                    if rate.holds(each.block.kind, each.block.locale)
                ]
                units = {counts[i]: float(each.work(1).units(rate.unit)) for i, each in held}
                most = sum(units[counts[i]] * each.block.n_questions for i, each in held)
                price = rate.price
                for tier in rate.tiers:
                    if most > tier.above:
                        beyond, reached = program.variable(most), program.choice()
                        program.at_most({beyond: 1.0, reached: -most}, 0)
                        less = {variable: -unit for variable, unit in units.items()}
                        program.at_most({beyond: 1.0, reached: float(tier.above), **less}, 0)
                        savings[vendor][beyond] = float(price - tier.price)
                    price = tier.price
        return savings

    def _cost(
        self,
        members: Collection[int],
        counts: Sequence[int],
        savings: Mapping[str, Terms],
        currency: str,
    ) -> dict[int, float]:
        """What `members` cost in a currency, of a vendor with other work too by list prices."""
        terms: dict[int, float] = {}
        for vendor, own in self.of_vendor.items():
            mine = [i for i in own if i in members]
            if not mine:
                continue
            unit = Money(Decimal(1), self.options[mine[0]].offer.contract.currency)
            worth = float(self.workforce.convert(unit, currency, self.on).amount)
            terms.update({counts[i]: float(self.options[i].price.amount) * worth for i in mine})
            if len(mine) == len(own):
                saved = savings.get(vendor, {})
                terms.update({variable: -saving * worth for variable, saving in saved.items()})
        return terms


def _grouped(names: Iterable[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        groups[name].append(index)
    return dict(groups)
