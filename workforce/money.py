"""Money: a decimal amount with its currency. Two currencies never meet by accident."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision, is_currency

from workforce.errors import WorkforceError


@dataclass(frozen=True)
class Money:
    """`amount` of `currency`, an ISO 4217 code; exact, and rounded only where it is shown."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, factor: Decimal) -> "Money":
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def rounded(self) -> "Money":
        """To the smallest unit of the currency, half of one upwards."""
        unit = Decimal(1).scaleb(-get_currency_precision(self.currency))
        return Money(self.amount.quantize(unit, ROUND_HALF_UP), self.currency)

    def __str__(self) -> str:
        return f"{self.currency} {self.rounded().amount:,f}"

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise WorkforceError(
                f"{self} and {other} are of two currencies: convert one by a dated exchange rate"
            )
        return other.amount


def nothing(currency: str) -> Money:
    """No money, of a currency."""
    return Money(Decimal(0), currency)


def names_a_currency(code: str) -> str:
    """`code` itself; raises ValueError where ISO 4217 has no such code."""
    if not is_currency(code):
        raise ValueError(f"{code!r} is no currency: write an ISO 4217 code, for example EUR")
    return code
