"""The pictures of reviews, of one drawn from a seed: .venv/bin/python -m docs.review_pictures"""

from dataclasses import replace
from pathlib import Path

from tests.browser import blank_page
from tests.workforce.reviews import portfolio, review
from workforce.review import Review
from workforce.review_page import portfolio_page, review_page
from workforce.scorecard import Scorecard, judged, overall
from workforce.wording import Wording

IMAGES = Path(__file__).parent / "images" / "review"


def honest(drawn: Review) -> Review:
    """The same with the lights that its figures have; they were drawn to show every one."""
    scores = []
    for each in drawn.scores:
        target = each.target if isinstance(each.target, float) else None
        light, why = judged(each.figure, target, Scorecard().enough)
        scores.append(replace(each, light=light, why=why))
    return replace(drawn, scores=tuple(scores), light=overall(scores))


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    english, japanese = Wording.load("en"), Wording.load("ja")
    drawn = portfolio()
    everybody = replace(drawn, reviews=tuple(map(honest, drawn.reviews)))
    with blank_page() as page:
        for name, shown, height in (
            ("review", review_page(honest(review()), english), 1300),
            ("portfolio", portfolio_page(everybody, japanese), 1400),
        ):
            page.set_viewport_size({"width": 1200, "height": height})
            page.set_content(shown)
            page.screenshot(path=IMAGES / f"{name}.jpg", type="jpeg", quality=80)


if __name__ == "__main__":
    main()
