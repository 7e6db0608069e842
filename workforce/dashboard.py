"""The dashboard: where each locale stands, who is late, what it costs, what comes next."""

import datetime as dt
from dataclasses import dataclass

from workforce.money import Money
from workforce.review import LocaleLine, Said


@dataclass(frozen=True)
class Late:
    """Questions of a vendor that wait for answers, and those that wait longer than was agreed."""

    vendor: str
    vendor_name: str
    locale: str
    kind: str
    n_open: int
    n_overdue: int
    oldest: dt.date


@dataclass(frozen=True)
class Cost:
    """What a vendor's work of the calendar month comes to, and what its orders leave."""

    vendor_name: str
    month: Money
    ordered: Money | None
    left: Money | None


@dataclass(frozen=True)
class Coming:
    """What happens on a day, if nobody acts before."""

    day: dt.date
    what: Said


@dataclass(frozen=True)
class Dashboard:
    """The state at a moment."""

    as_of: dt.datetime
    locales: tuple[LocaleLine, ...] = ()
    late: tuple[Late, ...] = ()
    costs: tuple[Cost, ...] = ()
    coming: tuple[Coming, ...] = ()
