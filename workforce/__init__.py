"""Vendors, contracts and money: what is recorded, what work costs, and who is asked what.

Records (`records`) are read from one file (`files`) and kept version by version in the catalogue
(`ledger`). A `WorkingCalendar` knows when a vendor works, `cost` what a contract charges, and
`allocate` gives planned questions (`Block`) to vendors within capacity, money, dates and quality.
"""

from workforce.billing.rates import Work, bill, cost
from workforce.errors import WorkforceError
from workforce.money import Money
from workforce.planning.allocation import allocate
from workforce.planning.demand import Block, Quality, Voters
from workforce.planning.frontier import Point, frontier
from workforce.planning.offers import Spent
from workforce.planning.outcome import Allocation, Assignment, Choice, Undone, dealt
from workforce.planning.without_contracts import by_locale
from workforce.records import (
    Budget,
    Contract,
    ExchangeRate,
    PurchaseOrder,
    Rate,
    Vendor,
    Workforce,
)
from workforce.records.calendar import WorkingCalendar

__all__ = [
    "Allocation",
    "Assignment",
    "Block",
    "Budget",
    "Choice",
    "Contract",
    "ExchangeRate",
    "Money",
    "Point",
    "PurchaseOrder",
    "Quality",
    "Rate",
    "Spent",
    "Undone",
    "Vendor",
    "Voters",
    "Work",
    "Workforce",
    "WorkforceError",
    "WorkingCalendar",
    "allocate",
    "bill",
    "by_locale",
    "cost",
    "dealt",
    "frontier",
]
