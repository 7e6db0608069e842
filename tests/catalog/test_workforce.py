"""What is recorded of the workforce, version by version, in both databases."""

import datetime as dt

import pytest

from catalog import Catalog
from catalog.schema import WorkforceRecord
from catalog.workforce import history
from tests.workforce.staff import budget, contract, order, vendor, workforce
from workforce import WorkforceError
from workforce.records import ledger

WHO = {"by": "Ann", "reason": "as agreed"}
ALL = workforce(vendor(), contract(), order("10.00"), budget("1000.0"))


def test_what_is_recorded_stands_to_the_last_digit(catalog: Catalog) -> None:
    with catalog.begin() as transaction:
        ledger.recorded(transaction, ALL, **WHO)
    with catalog.read() as transaction:
        stands = ledger.standing(transaction)
    assert stands == ALL
    assert str(stands.purchase_orders[0].amount) == "10.00"


def test_the_same_import_twice_is_one(catalog: Catalog) -> None:
    for _ in range(2):
        with catalog.begin() as transaction:
            changed = ledger.recorded(transaction, ALL, **WHO)
    assert changed == []
    with catalog.read() as transaction:
        assert [each.version for each in history(transaction, "vendor", "vendor-a")] == [1]


def test_a_change_adds_a_version_that_says_who_when_and_why(catalog: Catalog) -> None:
    revised = workforce(budget("2000.0", revision=1, reason="Arabic", approved_by="Bo"))
    with catalog.begin() as transaction:
        ledger.recorded(transaction, ALL, **WHO)
        [change] = ledger.recorded(transaction, revised, by="Cy", reason="the board agreed")
    assert "amount: 1000.0 -> 2000.0" in str(change)
    with catalog.read() as transaction:
        first, second = history(transaction, "budget", "2026")
        stands = ledger.standing(transaction)
    assert (first.content or {})["amount"] == "1000.0"
    assert (second.version, second.said_by, second.reason) == (2, "Cy", "the board agreed")
    assert dt.datetime.now(dt.UTC) - second.said_at < dt.timedelta(minutes=5)
    assert stands.budgets == revised.budgets
    assert stands.vendors == ALL.vendors


def test_what_is_withdrawn_stands_no_more_and_can_come_back(catalog: Catalog) -> None:
    with catalog.begin() as transaction:
        ledger.recorded(transaction, ALL, **WHO)
        ledger.withdraw(transaction, "budget", "2026", by="Ann", reason="a slip")
        assert ledger.standing(transaction).budgets == ()
        [back] = ledger.recorded(transaction, ALL, **WHO)
        assert back.before is None
        assert ledger.standing(transaction) == ALL
    with catalog.read() as transaction:
        said = [each.content is not None for each in history(transaction, "budget", "2026")]
    assert said == [True, False, True]


def test_nothing_is_withdrawn_that_others_refer_to_or_that_is_not_there(catalog: Catalog) -> None:
    with catalog.begin() as transaction:
        ledger.recorded(transaction, ALL, **WHO)
        with pytest.raises(WorkforceError, match="contract vendor-a/1"):
            ledger.withdraw(transaction, "vendor", "vendor-a", **WHO)
        with pytest.raises(WorkforceError, match="no budget 2027 stands"):
            ledger.withdraw(transaction, "budget", "2027", **WHO)


def test_a_record_that_cannot_be_read_is_named(catalog: Catalog) -> None:
    row = WorkforceRecord(
        kind="budget", key="2026", version=3, content={}, said_by="Ann", reason="by hand"
    )
    with catalog.begin() as transaction:
        transaction.add(row)
        transaction.flush()
        with pytest.raises(WorkforceError, match="version 3 of budget 2026"):
            ledger.standing(transaction)
