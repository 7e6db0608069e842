"""What is known of a vendor in a period, before anything is made of it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from workforce.performance.figures import Figure
from workforce.periods import Period
from workforce.records import Vendor
from workforce.reviews.review import (
    Confused,
    Credit,
    InvoiceLine,
    OrderLine,
    Risk,
    SpendLine,
    Trend,
)


@dataclass(frozen=True)
class Material:
    """What is known of a vendor in a period.

    `figures` and `before` are of the period and the one before it, by locale and kind and for the
    vendor as a whole; `trends` hold the alarms of control charts; `components` are the shares of
    variance components by name; `risks` are warnings that stand.
    """

    vendor: Vendor
    period: Period
    as_of: dt.date
    figures: Sequence[Figure] = ()
    before: Sequence[Figure] = ()
    trends: Sequence[Trend] = ()
    components: Sequence[tuple[str, float]] = ()
    confused: Sequence[Confused] = ()
    spend: Sequence[SpendLine] = ()
    invoices: Sequence[InvoiceLine] = ()
    orders: Sequence[OrderLine] = ()
    credits: Sequence[Credit] = ()
    risks: Sequence[Risk] = ()
    peers: Sequence[str] = ()
    """The names of other vendors who are shown to reach the bar in all of the vendor's locales."""
