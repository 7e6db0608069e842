"""Sums of money of several currencies: one of each, since two currencies never meet unasked."""

from collections.abc import Iterable

from workforce.money import Money, nothing


def totals(amounts: Iterable[Money], currency: str) -> tuple[Money, ...]:
    """The sum of each currency, that of `currency` first, where it is nothing as well."""
    found = {currency: nothing(currency)}
    for each in amounts:
        found[each.currency] = found.get(each.currency, nothing(each.currency)) + each
    return tuple(found.values())
