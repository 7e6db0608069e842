"""Who is asked what: the most value that time, money and quality allow, at the least cost.

`options` says which vendor can answer what, `plan` how many questions each gets, and `reasons` puts
it into words. A contract is priced and an exchange rate taken as of the plan's first moment; where
another version of the contract follows, or a purchase order or budget ends, the plan ends there for
the vendor or locale, and what comes after is planned then.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from workforce.money import Money, nothing
from workforce.planning.demand import Block, Quality
from workforce.planning.offers import Offer, Purse, Spent, offers, purses
from workforce.planning.options import Funds, Option, Seconds, Share, option, shares, spending
from workforce.planning.outcome import Allocation
from workforce.planning.plan import Plan
from workforce.planning.reasons import told
from workforce.records import Workforce

TRIAL_SHARE = 0.1
UNKNOWN = Quality()


def allocate(
    demand: Sequence[Block],
    workforce: Workforce,
    *,
    starting: dt.datetime,
    deadline: dt.datetime,
    currency: str,
    seconds: Seconds,
    quality: Mapping[tuple[str, str], Quality] | None = None,
    bars: Mapping[str, float] | None = None,
    trial_share: float = TRIAL_SHARE,
    spent: Spent | None = None,
    at_most: Money | None = None,
) -> Allocation:
    """Give the questions of `demand` to the vendors under contract.

    `quality` is what is known by vendor and locale, `bars` the accuracy that a locale asks for; a
    contract may ask for more. A vendor who is shown to be below gets nothing. Where another one is
    shown to reach it, a vendor of whom neither is shown gets up to `trial_share` of the locale's
    questions. `at_most` limits the cost of the whole. Figures are in `currency`.

    Raises `WorkforceError` where an exchange rate is missing, ValueError where two blocks have one
    name.
    """
    if len({block.name for block in demand}) < len(demand):
        raise ValueError("two blocks of the demand have one name: name each block once")
    on = starting.astimezone(dt.UTC).date()
    known = spent or Spent()
    offered, missing = offers(workforce, starting, deadline, known)
    money, without_budget = purses(workforce, starting, known)
    if at_most is not None:
        money.append(Purse("what the plan may cost", at_most, None, deadline))

    def quality_of(offer: Offer, locale: str) -> Quality:
        return (quality or {}).get((offer.vendor.site, locale), UNKNOWN)

    def bar_of(offer: Offer, locale: str) -> float:
        return max((bars or {}).get(locale, 0.0), offer.contract.quality_bar or 0.0)

    options: list[Option] = []
    obstacles: dict[str, dict[str, str]] = defaultdict(dict)
    for block in demand:
        locale = block.locale
        for vendor in workforce.vendors:
            if locale in vendor.locales and vendor.site in missing:
                obstacles[block.name][vendor.site] = missing[vendor.site]
        for offer in offered:
            if locale not in offer.vendor.locales:
                continue
            made: Option | str = f"no budget for {locale} is in force on {on}"
            if locale not in without_budget:
                made = option(
                    block,
                    offer,
                    money,
                    quality_of(offer, locale),
                    bar_of(offer, locale),
                    seconds,
                    starting,
                )
            if isinstance(made, str):
                obstacles[block.name][offer.vendor.site] = made
            else:
                options.append(made)
    plan = Plan(
        demand,
        options,
        [*shares(options, starting), *_trials(demand, options, quality_of, bar_of, trial_share)],
        _funds(options, money, workforce, on),
        workforce,
        currency,
        on,
    )
    return told(plan, plan.solved(), obstacles, starting)


def _trials(
    demand: Sequence[Block],
    options: Sequence[Option],
    quality_of: Callable[[Offer, str], Quality],
    bar_of: Callable[[Offer, str], float],
    trial_share: float,
) -> list[Share]:
    """How many questions vendors get who are not shown to be good, where another one is."""
    shown: set[str] = set()
    unsure: dict[tuple[str, str, float], list[int]] = defaultdict(list)
    for index, each in enumerate(options):
        locale, bar = each.block.locale, bar_of(each.offer, each.block.locale)
        if quality_of(each.offer, locale).interval[0] >= bar:
            shown.add(locale)
        else:
            unsure[each.vendor, locale, bar].append(index)
    found = []
    for (_, locale, bar), members in unsure.items():
        if locale in shown:
            n = sum(block.n_questions for block in demand if block.locale == locale)
            most = int(trial_share * n)
            said = (
                f"it is not shown to reach {bar:.0%} in {locale} and gets {most} questions at most"
            )
            found.append(Share(said, Fraction(most), dict.fromkeys(members, Fraction(1))))
    return found


def _funds(
    options: Sequence[Option], purses: Sequence[Purse], workforce: Workforce, on: dt.date
) -> list[Funds]:
    """What limits the cost: each vendor's purchase orders, and each budget."""
    found = []
    by_vendor: dict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(options):
        by_vendor[each.vendor].append(index)
    for members in by_vendor.values():
        offer = options[members[0]].offer
        if offer.left is not None:
            costs = spending(options, members, workforce, offer.left.currency, on)
            said = f"its purchase order {' and '.join(offer.orders)}"
            found.append(Funds(said, offer.left, frozenset(members), costs))
    for purse in purses:
        held = [i for i, each in enumerate(options) if purse.holds(each.block.locale)]
        costs = spending(options, held, workforce, purse.left.currency, on)
        left = max(purse.left, nothing(purse.left.currency))
        found.append(Funds(purse.said, left, frozenset(held), costs))
    return found
