"""Who is asked what of the planned work, by the records that stand in the catalogue."""

import datetime as dt
from collections.abc import Mapping, Sequence

from catalog import Transaction
from tasks.sites import LabelStudioSite
from workforce import Allocation, Block, Quality, Spent, allocate, by_locale
from workforce.planning.options import Seconds
from workforce.records import ledger


def allocated(
    transaction: Transaction,
    demand: Sequence[Block],
    blocks: Mapping[str, LabelStudioSite],
    *,
    starting: dt.datetime,
    deadline: dt.datetime,
    currency: str,
    seconds: Seconds,
    quality: Mapping[tuple[str, str], Quality],
    bars: Mapping[str, float],
    spent: Spent,
) -> Allocation:
    """The allocation of `demand` to vendors or, while no contract is recorded, to the sites.

    Raises `WorkforceError` where the records do not suffice.
    """
    standing = ledger.standing(transaction)
    if not standing.contracts:
        return by_locale(demand, {name: block.locales for name, block in blocks.items()})
    return allocate(
        demand,
        standing,
        starting=starting,
        deadline=deadline,
        currency=currency,
        seconds=seconds,
        quality=quality,
        bars=bars,
        spent=spent,
    )
