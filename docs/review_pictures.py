"""The pictures of reviews, of one drawn from a seed: .venv/bin/python -m docs.review_pictures"""

from pathlib import Path

from tests.browser import blank_page
from tests.workforce.reviews import portfolio, review
from workforce.review_page import portfolio_page, review_page
from workforce.wording import Wording

IMAGES = Path(__file__).parent / "images" / "review"


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    english, japanese = Wording.load("en"), Wording.load("ja")
    with blank_page() as page:
        for name, shown, height in (
            ("review", review_page(review(), english), 1300),
            ("portfolio", portfolio_page(portfolio(), japanese), 1400),
        ):
            page.set_viewport_size({"width": 1200, "height": height})
            page.set_content(shown)
            page.screenshot(path=IMAGES / f"{name}.jpg", type="jpeg", quality=80)


if __name__ == "__main__":
    main()
