"""Planned work is allocated by the records that stand in the catalogue."""

from pathlib import Path

from catalog import Catalog
from tasks.allocate import allocated
from tasks.sites import LabelStudioSite
from tests.workforce.staff import MONDAY, block, contract, midnight, vendor, workforce
from workforce import Allocation, Spent
from workforce.records import ledger

SITE = LabelStudioSite.model_validate(
    {"url": "http://127.0.0.1:8080", "api_key": "none", "locales": ["de-DE"]}
)


def allocation(catalog: Catalog) -> Allocation:
    with catalog.read() as transaction:
        return allocated(
            transaction,
            [block(10)],
            {"local": SITE},
            starting=MONDAY,
            deadline=midnight(5),
            currency="EUR",
            seconds=lambda vendor, block: 36.0,
            quality={},
            bars={},
            spent=Spent(),
        )


def test_the_sites_are_asked_until_there_is_a_contract(tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    before = allocation(catalog)
    with catalog.begin() as transaction:
        agreed = workforce(vendor(), contract())
        ledger.recorded(transaction, agreed, by="Ann", reason="agreed")
    after = allocation(catalog)
    catalog.close()
    assert [each.vendor for each in before.assignments] == ["local"]
    assert [each.vendor for each in after.assignments] == ["vendor-a"]
