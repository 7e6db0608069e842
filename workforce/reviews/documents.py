"""Documents that go to vendors, as pages that print: orders, credit notes, notices of contracts."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from workforce.billing.totals import totals
from workforce.errors import WorkforceError
from workforce.money import Money
from workforce.periods import Period
from workforce.records import Contract, PurchaseOrder, Vendor
from workforce.reviews.review import Credit
from workforce.reviews.wording import Wording
from workforce.workbook.sheets import ON_LETTER


@dataclass(frozen=True)
class Stationery:
    """Who sends documents (name and address, line by line), in which language, on which forms.

    A template in the folder `templates` takes the place of ours of the same name.
    """

    wording: Wording
    sender: Sequence[str] = ()
    templates: Path | None = None


class Notice(StrEnum):
    """What is told of a contract before its term is over."""

    END = "end"
    RENEW = "renew"


def order_document(
    order: PurchaseOrder, vendor: Vendor, contract: Contract | None, stationery: Stationery
) -> str:
    """A purchase order as HTML: its amount, and the prices of the contract on its first day.

    Raises `WorkforceError` where a template cannot be used.
    """
    return _page("order.html", stationery, order=order, vendor=vendor, contract=contract)


def credit_document(
    vendor: Vendor, period: Period, credits: Sequence[Credit], stationery: Stationery
) -> str:
    """The credits that a vendor owes for a period, as HTML, with their total.

    Raises `WorkforceError` where there are none, or a template cannot be used.
    """
    if not credits:
        raise WorkforceError(
            f"{vendor.site} owes no credit for {period}: no service level of its contracts is shown"
            " to be missed, or none says what a miss costs (`levels`)"
        )
    return _page(
        "credit.html",
        stationery,
        vendor=vendor,
        period=period,
        credits=credits,
        number=credit_number(vendor, period, credits),
        totals=totals((each.amount for each in credits), credits[0].amount.currency),
    )


def credit_number(vendor: Vendor, period: Period, credits: Sequence[Credit]) -> str:
    """The number of a note: the same for the same credits, another one where they differ."""
    said = repr([(each.contract, each.level, each.missed, each.amount) for each in credits])
    return f"CN-{vendor.site}-{period}-{sha256(said.encode()).hexdigest()[:8]}"


def notice_document(
    notice: Notice, contract: Contract, vendor: Vendor, on: dt.date, stationery: Stationery
) -> str:
    """The letter of `on` that tells a vendor that its contract ends, or is renewed, as HTML.

    Raises `WorkforceError` where it is too late to end the contract, or a template cannot be used.
    """
    due = contract.notice_by
    if notice == Notice.END and due is not None and on > due:
        raise WorkforceError(
            f"notice of contract {contract.key} was due by {due}: it goes on as it says; agree with"
            " the vendor on another day, and record it as another version of the contract"
        )
    return _page("notice.html", stationery, notice=notice, contract=contract, vendor=vendor, on=on)


def _page(template: str, stationery: Stationery, **values: Any) -> str:
    wording = stationery.wording
    try:
        return (
            _environment(stationery)
            .get_template(template)
            .render(
                w=wording,
                sender=stationery.sender,
                paper="letter" if wording.locale.territory in ON_LETTER else "A4",
                **values,
            )
        )
    except TemplateError as error:
        raise WorkforceError(
            f"the template {template} cannot be used: {error}; mend it in"
            f" {stationery.templates or 'the package'}, or leave it out to use ours"
        ) from error


def _environment(stationery: Stationery) -> SandboxedEnvironment:
    ours = PackageLoader("workforce.reviews", "templates/documents")
    own = [FileSystemLoader(stationery.templates)] if stationery.templates is not None else []
    environment = SandboxedEnvironment(
        loader=ChoiceLoader([*own, ours]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    wording = stationery.wording
    environment.filters |= {
        "price": lambda amount, currency: wording.price(Money(amount, currency)),
        "kind": lambda kind: wording.text(f"kind.{kind}"),
    }
    return environment
