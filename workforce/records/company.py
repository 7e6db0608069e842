"""Who reads the reports: the company's own name, currency and fiscal years."""

from pydantic import BaseModel

from workforce.periods import FiscalCalendar
from workforce.records.record import Currency


class Company(BaseModel, frozen=True, extra="forbid"):
    """`currency` is the one that leaders read sums in; `fiscal` says where their years begin."""

    name: str = ""
    currency: Currency = "EUR"
    fiscal: FiscalCalendar = FiscalCalendar(first_month=1)
