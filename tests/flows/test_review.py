"""Reviews are made by a flow, kept under names of their content, and written by the command."""

import datetime as dt
from pathlib import Path

from catalog.workforce import add_versions
from flows.review import review
from tasks.dashboard import refresh_dashboard
from tasks.review import books, vendor_review, whole_portfolio
from tests.flows.conftest import Workspace
from tests.workforce.staff import contract, order, vendor
from workforce.records import content
from workforce.review import Light

YEAR_END = dt.date(2026, 12, 31)


def record(workspace: Workspace) -> None:
    """A vendor whose name is markup, with a contract and an order; nothing was answered."""
    records = (vendor(name="<script>"), contract(), order("100"))
    with workspace.settings.catalog.begin() as transaction:
        contents = {(each.kind, each.key): content(each) for each in records}
        add_versions(transaction, contents, by="somebody", reason="agreed")


def test_a_quarter_without_answers_is_reviewed_and_the_same_again_is_the_same_file(
    workspace: Workspace, tmp_path: Path
) -> None:
    record(workspace)
    first = review("2026Q4", forms=["html"], as_of=YEAR_END)
    again = review("2026Q4", forms=["html"], as_of=YEAR_END)
    assert [each.title for each in first] == ["vendor-a 2026Q4 en", "portfolio 2026Q4 en"]
    assert first == again
    page = workspace.settings.blob_store.get(first[0].locations["html"]).decode()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "No question was answered in the period." in page

    held = books(workspace.settings, workspace.settings.company.fiscal.period("2026Q4"), YEAR_END)
    assert vendor_review(held, "vendor-a").light == Light.GREY
    assert whole_portfolio(held).light == Light.GREY

    status, printed = workspace.groundtruth(
        *("review", "--vendor", "vendor-a", "--quarter", "2026Q4", "--language", "de"),
        *("--to", str(tmp_path), "--as-of", "2026-12-31"),
    )
    assert status == 0, printed
    assert {file.name for file in tmp_path.iterdir()} == {
        "vendor-a-2026Q4-de.html",
        "vendor-a-2026Q4-de.xlsx",
    }
    status, printed = workspace.groundtruth("review", "--vendor", "nobody", "--quarter", "2026Q4")
    assert status == 1
    assert "name one of vendor-a" in printed


def test_the_dashboard_says_what_comes_next(workspace: Workspace) -> None:
    record(workspace)
    page = workspace.settings.blob_store.get(refresh_dashboard.fn()).decode()
    assert "&lt;script&gt;" in page
    assert "No question waits for an answer." in page
