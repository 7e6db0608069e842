"""The pages open from a disk, load nothing, can be read by all, and obey nobody's text."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import blank_page
from tests.workforce.reviews import AS_OF, QUARTER, portfolio, review
from workforce import Money, WorkforceError
from workforce.billing.totals import totals
from workforce.performance.figures import Cell, Figure, Metric
from workforce.reviews.dashboard import Coming, Cost, Costs, Dashboard, Late, Standing
from workforce.reviews.plots import HEIGHT, WIDTH, strip, trend_plot
from workforce.reviews.printing import pdf
from workforce.reviews.review import Light, Review, Said, Score, Trend
from workforce.reviews.review_page import (
    TABLES,
    command,
    dashboard_page,
    portfolio_page,
    review_page,
)
from workforce.reviews.wording import Wording

ENGLISH = Wording.load("en")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SHOWN = {metric for metrics in TABLES.values() for metric in metrics}
HOSTILE = '<script>alert("x")</script>'


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def dashboard(vendor: str = "Vendor A") -> Dashboard:
    return Dashboard(
        dt.datetime(2026, 12, 31, 9, 30, tzinfo=dt.UTC),
        (Standing("de-DE", 100, 40, 80, 3), Standing("ja-JP", None, 0, 0, 0)),
        (Late(vendor, "de-DE", "verify", 80, 3, dt.date(2026, 12, 1)),),
        Costs(
            dt.datetime(2026, 12, 30, 6, tzinfo=dt.UTC),
            (
                Cost(vendor, euros("12.50"), euros("100"), euros("-3")),
                Cost("B", None, None, None),
            ),
        ),
        (Coming(dt.date(2027, 1, 9), Said("next.budget_ends", {"budget": "Q4"})),),
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with blank_page() as page:
        yield page


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("review", review_page(review(), ENGLISH)),
        ("portfolio", portfolio_page(portfolio(), Wording.load("ja"))),
        ("dashboard", dashboard_page(dashboard(), Wording.load("de"))),
    ],
)
def test_pages_ask_for_nothing_and_can_be_read_by_all(
    browser: Page, tmp_path: Path, name: str, page: str
) -> None:
    file = tmp_path / f"{name}.html"
    file.write_text(page, encoding="utf-8")
    asked: list[str] = []
    browser.on("request", lambda request: asked.append(request.url))
    browser.goto(file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    for scheme in SCHEMES:
        browser.emulate_media(color_scheme=scheme)
        found = Axe().run(browser)
        assert found.response["passes"]
        assert not found.response["violations"], found.generate_report()


def test_text_from_outside_is_shown_and_not_obeyed() -> None:
    said = Said("verbatim", {"text": HOSTILE})
    hostile = replace(review(vendor_name=HOSTILE), summary=(said,), causes=(said,))
    pages = (
        review_page(hostile, ENGLISH),
        portfolio_page(replace(portfolio(), reviews=(hostile,)), ENGLISH),
        dashboard_page(dashboard(HOSTILE), ENGLISH),
    )
    for page in pages:
        assert HOSTILE not in page
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_a_review_of_nothing_makes_a_page() -> None:
    nothing = Review(
        "vendor-a", "A", QUARTER, AS_OF, (), "EUR", Light.GREY, (Said("summary.no_answers"),)
    )
    page = review_page(nothing, ENGLISH)
    assert "No question was answered in the period." in page
    assert "<h2>Scorecard" not in page
    nobody = replace(portfolio(), reviews=(), locales=(), budgets=(), risks=(), actions=())
    assert "Q4 2026" in portfolio_page(nobody, ENGLISH)
    empty = Dashboard(dashboard().as_of)
    assert "Costs were not counted yet" in dashboard_page(empty, ENGLISH)
    of_nobody = replace(empty, costs=Costs(empty.as_of, ()))
    assert "No contract is recorded." in dashboard_page(of_nobody, ENGLISH)


def test_the_dashboard_says_as_of_when_its_costs_were_counted() -> None:
    page = dashboard_page(dashboard(), Wording.load("en-GB"))
    assert "As of 31 Dec 2026, 09:30 UTC" in page
    assert "As of 30 Dec 2026, 06:00 UTC" in page


def test_a_figure_stands_with_its_interval_its_n_and_the_command_that_lists_its_rows() -> None:
    made = review()
    page = review_page(made, ENGLISH)
    for figure in made.figures:
        of_one_kind = figure.cell.locale is not None and figure.cell.kind is not None
        if figure.value is None or of_one_kind or figure.metric not in SHOWN:
            continue
        assert ENGLISH.level(figure.metric, figure.value) in page
        assert f"n = {ENGLISH.number(figure.n)}" in page
        assert command(figure) in page
        if figure.low is not None and figure.high is not None:
            ends = (ENGLISH.level(figure.metric, end) for end in (figure.low, figure.high))
            assert " – ".join(ends) in page


def test_the_command_that_lists_rows_is_safe_to_paste() -> None:
    figure = Figure(Metric.GOLD_ACCURACY, Cell(QUARTER, "a; rm -rf x", "de-DE"), 1.0, 1)
    assert command(figure).endswith("--period 2026Q4 --vendor 'a; rm -rf x' --locale de-DE")


def test_a_week_without_work_leaves_a_gap_in_the_line() -> None:
    values = (0.9, 0.95, None, 0.97, 0.98, 0.99)
    weeks = list(QUARTER.weeks())
    figures = tuple(
        Figure(Metric.GOLD_ACCURACY, Cell(week), value, 0 if value is None else 9)
        for week, value in zip(weeks, values, strict=False)
    )
    drawn = trend_plot(Trend(Metric.GOLD_ACCURACY, figures, 0.95, (weeks[2], weeks[3])))
    assert [len(line.split()) for line in drawn.lines] == [2, 3]
    assert [spot.figure.value for spot in drawn.alarms] == [0.97]
    assert all(0 <= spot.x <= WIDTH and 0 <= spot.y <= HEIGHT for spot in drawn.spots)
    heights = [spot.y for spot in drawn.spots]
    assert heights == sorted(heights, reverse=True)
    assert drawn.target == drawn.spots[1].y


def test_one_answer_is_a_point_on_its_scale() -> None:
    figure = Figure(Metric.GOLD_ACCURACY, Cell(QUARTER), 1.0, 1, 0.2, 1.0)
    score = Score(figure, None, 0.95, 1.0, Light.GREY, Said("why.nothing"))
    drawn = strip(score)
    assert drawn is not None
    assert drawn.low is not None
    assert drawn.target is not None
    assert drawn.low < drawn.target < drawn.value == drawn.high
    assert strip(replace(score, figure=replace(figure, value=None, n=0))) is None


def test_totals_keep_currencies_apart() -> None:
    yen = Money(Decimal(300), "JPY")
    assert totals([yen, euros("1.10"), yen], "EUR") == (euros("1.10"), yen + yen)
    assert totals([], "EUR") == (euros("0"),)


def test_the_browser_prints_a_pdf() -> None:
    assert pdf(review_page(review(), ENGLISH)).startswith(b"%PDF-")


def test_without_a_browser_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WorkforceError, match="install chromium, or leave out --pdf"):
        pdf("<p>page</p>")
