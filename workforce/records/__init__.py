"""What is recorded of the workforce: vendors, contracts, money set aside, invoices, exchange rates.

Read from files, kept version by version in the catalogue (`ledger`), and edited as workbooks.
"""

from workforce.records.contracts import Contract, Rate, Unit
from workforce.records.invoices import Invoice
from workforce.records.record import Dated, Record
from workforce.records.vendors import Person, Vendor, Weekday
from workforce.records.workforce import (
    KINDS,
    Budget,
    ExchangeRate,
    PurchaseOrder,
    Workforce,
    content,
)

__all__ = [
    "KINDS",
    "Budget",
    "Contract",
    "Dated",
    "ExchangeRate",
    "Invoice",
    "Person",
    "PurchaseOrder",
    "Rate",
    "Record",
    "Unit",
    "Vendor",
    "Weekday",
    "Workforce",
    "content",
]
