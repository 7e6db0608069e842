"""The pictures of reviews, of those that `groundtruth review` wrote of a sample year to a folder.

python -m docs.review_pictures FOLDER
"""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import typer

from tests.browser import blank_page
from workforce.money import Money
from workforce.reviews.dashboard import Coming, Cost, Costs, Dashboard, Late, Standing
from workforce.reviews.review import Said
from workforce.reviews.review_page import dashboard_page
from workforce.reviews.wording import Wording

IMAGES = Path(__file__).parent / "images" / "review"


def dashboard() -> Dashboard:
    """A Monday morning of two vendors."""

    def euros(amount: str) -> Money:
        return Money(Decimal(amount), "EUR")

    return Dashboard(
        dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC),
        (
            Standing("de-DE", 12_000, 8_740, 310, 42),
            Standing("en-US", 20_000, 15_905, 280, 0),
            Standing("ja-JP", 9_000, 2_115, 640, 0),
            Standing("sv-SE", None, 120, 0, 0),
        ),
        (
            Late("Alpha Annotation GmbH", "de-DE", "verify", 310, 42, dt.date(2026, 11, 12)),
            Late("Beta K.K.", "ja-JP", "verify", 640, 0, dt.date(2026, 11, 19)),
            Late("Beta K.K.", "en-US", "merge", 280, 0, dt.date(2026, 11, 20)),
        ),
        Costs(
            dt.datetime(2026, 11, 23, 6, tzinfo=dt.UTC),
            (
                Cost("Alpha Annotation GmbH", euros("3120.40"), euros("12000"), euros("4310.85")),
                Cost("Beta K.K.", Money(Decimal(412_500), "JPY"), None, None),
            ),
        ),
        (
            Coming(dt.date(2026, 12, 15), Said("next.notice", {"contract": "vendor-b/1"})),
            Coming(dt.date(2026, 12, 31), Said("next.order_ends", {"order": "4500017"})),
            Coming(dt.date(2026, 12, 31), Said("next.budget_ends", {"budget": "Q4"})),
        ),
    )


def main(folder: Path) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with blank_page() as page:
        for name, shown, height in (
            ("review", (folder / "vendor-b-2026Q4-en.html").read_text("utf-8"), 1300),
            ("portfolio", (folder / "portfolio-2026Q4-en.html").read_text("utf-8"), 1300),
            ("dashboard", dashboard_page(dashboard(), Wording.load("en")), 1180),
        ):
            page.set_viewport_size({"width": 1200, "height": height})
            page.set_content(shown)
            page.screenshot(path=IMAGES / f"{name}.jpg", type="jpeg", quality=75)


if __name__ == "__main__":
    typer.run(main)
