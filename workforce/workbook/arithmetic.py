"""Differences and ratios of what cells hold: None where a part is missing, or currencies differ."""

from decimal import Decimal
from typing import Any

from workforce.money import Money


def difference(one: Any, other: Any) -> Any:
    """`one - other`, of numbers or of money of one currency."""
    return one - other if _are_alike(one, other) else None


def ratio(one: Any, other: Any) -> float | Decimal | None:
    """`one / other`, of numbers or of money of one currency; None where `other` is 0."""
    if not _are_alike(one, other):
        return None
    part, whole = (each.amount if isinstance(each, Money) else each for each in (one, other))
    return part / whole if whole else None


def _are_alike(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return False
    return getattr(one, "currency", None) == getattr(other, "currency", None)
