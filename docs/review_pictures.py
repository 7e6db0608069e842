"""The pictures of reviews, of one drawn from a seed: .venv/bin/python -m docs.review_pictures"""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from tests.browser import blank_page
from tests.workforce.reviews import portfolio, review
from workforce.money import Money
from workforce.reviews.dashboard import Coming, Cost, Costs, Dashboard, Late, Standing
from workforce.reviews.review import Review, Said
from workforce.reviews.review_page import dashboard_page, portfolio_page, review_page
from workforce.reviews.scorecard import Scorecard, judged, overall
from workforce.reviews.wording import Wording

IMAGES = Path(__file__).parent / "images" / "review"


def honest(drawn: Review) -> Review:
    """The same with the lights that its figures have; they were drawn to show every one."""
    scores = []
    for each in drawn.scores:
        target = each.target if isinstance(each.target, float) else None
        light, why = judged(each.figure, target, Scorecard().enough)
        scores.append(replace(each, light=light, why=why))
    return replace(drawn, scores=tuple(scores), light=overall(scores))


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


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    english, japanese = Wording.load("en"), Wording.load("ja")
    drawn = portfolio()
    everybody = replace(drawn, reviews=tuple(map(honest, drawn.reviews)))
    with blank_page() as page:
        for name, shown, height in (
            ("review", review_page(honest(review()), english), 1300),
            ("portfolio", portfolio_page(everybody, japanese), 1400),
            ("dashboard", dashboard_page(dashboard(), english), 1180),
        ):
            page.set_viewport_size({"width": 1200, "height": height})
            page.set_content(shown)
            page.screenshot(path=IMAGES / f"{name}.jpg", type="jpeg", quality=75)


if __name__ == "__main__":
    main()
