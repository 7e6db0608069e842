"""Records say what is wrong with them, and a file is read as a person means it."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

import workforce as package
from tests.workforce.staff import budget, contract, order, vendor, workforce
from workforce import ExchangeRate, Money, WorkforceError
from workforce.records import files

SAMPLE = Path(package.__file__).parent / "sample.yaml"


def test_the_sample_is_read_and_what_is_written_is_read_back(tmp_path: Path) -> None:
    read = files.read(SAMPLE).checked()
    again = tmp_path / "again.yaml"
    again.write_text(files.written(read), encoding="utf-8")
    assert files.read(again) == read


def test_yaml_says_what_is_written(tmp_path: Path) -> None:
    """Plain YAML 1.1 reads 17:30 as 1050, NO as false, and 0.10 as a binary fraction."""
    file = tmp_path / "norway.yaml"
    file.write_text(
        """
        vendors:
          - {site: v, name: Vi, country: NO, time_zone: Europe/Oslo, day_ends: 17:30,
             paid_hours_per_day: 8, locales: {nb-NO: {}}}
        exchange_rates:
          - {of: NOK, into: EUR, on: 2026-01-02, rate: 0.0850}
        """
    )
    read = files.read(file)
    assert read.vendors[0].country == "NO"
    assert read.vendors[0].day_ends == dt.time(17, 30)
    assert str(read.exchange_rates[0].rate) == "0.0850"


def test_an_error_names_the_file_the_place_and_the_mend(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(files.written(files.read(SAMPLE)).replace("currency: JPY", "currency: yen"))
    with pytest.raises(WorkforceError, match=r"wrong\.yaml .*contracts\[2\]\.currency: .*ISO 4217"):
        files.read(file)


@pytest.mark.parametrize("said", ["- one\n- two", "vendors: [", "vendor: []"])
def test_what_is_no_workforce_is_refused(tmp_path: Path, said: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(said)
    with pytest.raises(WorkforceError, match=r"wrong\.yaml"):
        files.read(file)


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ({"time_zone": "Berlin"}, "Europe/Berlin"),
        ({"country": "Germany"}, "ISO 3166"),
        ({"subdivision": "Wessex"}, "leave it out"),
        ({"locales": {"deutsch!": {}}}, "BCP 47"),
        ({"day_ends": "08:00"}, "not after day_starts"),
        ({"paid_hours_per_day": None}, "how much is worked in de-DE"),
        ({"paid_hours_per_day": 0}, "greater than 0"),
    ],
)
def test_a_vendor_who_cannot_be_is_refused(wrong: dict[str, object], mend: str) -> None:
    with pytest.raises(ValidationError, match=mend):
        vendor(**wrong)


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ({"ends": "2025-12-31"}, "before it starts"),
        (
            {"rates": [{"unit": "hour", "price": 1}, {"unit": "hour", "price": 2}]},
            r"rates\[0\] and rates\[1\] are about the same",
        ),
        (
            {"rates": [{"unit": "hour", "price": 1, "tiers": [{"above": 9, "price": 2}]}]},
            "cheaper than the one before",
        ),
        ({"rates": [{"unit": "hour", "price": "-1"}]}, "greater than or equal to 0"),
        ({"rates": []}, "at least 1"),
    ],
)
def test_a_contract_that_cannot_be_is_refused(wrong: dict[str, object], mend: str) -> None:
    with pytest.raises(ValidationError, match=mend):
        contract(**wrong)


def test_a_budget_is_revised_by_somebody_who_says_why() -> None:
    with pytest.raises(ValidationError, match="approved_by"):
        budget("10", revision=1, reason="More")


def test_what_refers_to_nobody_is_refused() -> None:
    with pytest.raises(WorkforceError, match="vendor-b', who is not recorded"):
        workforce(vendor(), order("10", "vendor-b"))


def test_a_later_version_of_a_contract_replaces_the_earlier_from_its_first_day() -> None:
    first = contract()
    second = contract(version=2, starts="2026-07-01", ends="2027-06-30")
    both = workforce(vendor(), first, second)
    assert both.contract("vendor-a", dt.date(2026, 6, 30)) == first
    assert both.contract("vendor-a", dt.date(2026, 7, 1)) == second
    assert both.contract("vendor-a", dt.date(2025, 12, 31)) is None
    assert both.contract("vendor-a", dt.date(2027, 7, 1)) is None
    assert both.last_day(first) == dt.date(2026, 6, 30)


def test_money_is_converted_by_the_newest_rate_of_its_day() -> None:
    rates = [
        ExchangeRate(of="EUR", into="JPY", on=dt.date(2026, 1, day), rate=Decimal(rate))
        for day, rate in ((1, "160"), (10, "170"))
    ]
    recorded = workforce(*rates)
    yen = Money(Decimal(1700), "JPY")
    assert recorded.convert(yen, "EUR", dt.date(2026, 1, 10)) == Money(Decimal(10), "EUR")
    assert recorded.convert(Money(Decimal(2), "EUR"), "JPY", dt.date(2026, 1, 9)) == Money(
        Decimal(320), "JPY"
    )
    with pytest.raises(WorkforceError, match="2025-12-31"):
        recorded.convert(yen, "EUR", dt.date(2025, 12, 31))


def test_two_currencies_do_not_add_up() -> None:
    with pytest.raises(WorkforceError, match=r"EUR 1\.00 and JPY 1"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "JPY")


def test_money_is_shown_in_the_smallest_unit_of_its_currency() -> None:
    assert str(Money(Decimal("1234.565"), "EUR")) == "EUR 1,234.57"
    assert str(Money(Decimal("1234.5"), "JPY")) == "JPY 1,235"
    assert str(Money(Decimal("1.0005"), "KWD")) == "KWD 1.001"
