"""Vendors, contracts and questions that differ from the usual ones in what a test names."""

import datetime as dt
from decimal import Decimal
from typing import Any

from catalog.schema import QuestionKind
from workforce import Block, Budget, Contract, Money, PurchaseOrder, Vendor, Workforce

MONDAY = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)
A_YEAR = {"starts": dt.date(2026, 1, 1), "ends": dt.date(2026, 12, 31)}
PER_QUESTION = ({"unit": "question", "price": "0.50"},)


def midnight(days: int) -> dt.datetime:
    """The end of so many days from Monday on."""
    return MONDAY + dt.timedelta(days=days)


def vendor(site: str = "vendor-a", **changes: Any) -> Vendor:
    """One who works eight hours a day, from Monday to Friday, in Greenwich's time."""
    usual = {
        "site": site,
        "name": site.title(),
        "country": "GB",
        "time_zone": "UTC",
        "people": 3,
        "paid_hours_per_day": 8,
        "locales": {"de-DE": {}},
    }
    return Vendor.model_validate({**usual, **changes})


def contract(vendor: str = "vendor-a", **changes: Any) -> Contract:
    """EUR .50 for a question, in 2026."""
    usual = {"vendor": vendor, "version": 1, "currency": "EUR", "rates": PER_QUESTION, **A_YEAR}
    return Contract.model_validate({**usual, **changes})


def order(amount: str, vendor: str = "vendor-a", **changes: Any) -> PurchaseOrder:
    usual = {"number": f"of {vendor}", "vendor": vendor, "amount": amount, "currency": "EUR"}
    return PurchaseOrder.model_validate({**usual, **A_YEAR, **changes})


def budget(amount: str, **changes: Any) -> Budget:
    usual = {"name": "2026", "amount": amount, "currency": "EUR", **A_YEAR}
    return Budget.model_validate({**usual, **changes})


def block(n_questions: int, **changes: Any) -> Block:
    usual = {
        "name": "first",
        "locale": "de-DE",
        "kind": QuestionKind.VERIFY,
        "n_questions": n_questions,
        "value": 1.0,
        "n_pictures": 20.0,
        "n_labels": 18.0,
    }
    return Block(**{**usual, **changes})


def workforce(*records: Any) -> Workforce:
    return Workforce.of(records)


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")
