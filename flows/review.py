"""Review the vendors: a business review of each for a quarter, and the portfolio of all."""

import datetime as dt
from collections.abc import Sequence

from prefect import flow, get_run_logger

from tasks.artifacts import publish, table
from tasks.confusion import confusion_sections
from tasks.review import Written, books, keep, period_of, reviews
from tasks.settings import load_settings
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(written: Sequence[Written]) -> Figures:
    return {"documents": len(written)}


@summarised(figures)
@flow(name="review", timeout_seconds=6 * HOUR)
def review(
    quarter: str | None = None,
    vendors: list[str] | None = None,
    language: str | None = None,
    forms: list[str] = ["html", "xlsx"],  # noqa: B006
    as_of: dt.date | None = None,
) -> list[Written]:
    """Keep reviews and the portfolio as files in the blob store, and publish where they lie.

    Args:
        quarter: As 2026Q4, or any other period; none: the quarter of a week ago.
        vendors: Whose reviews are made; none: all of them, and the portfolio.
        language: en, de, ja, or a locale; none: that of the settings.
        forms: Of html, xlsx and pdf.
        as_of: The last day of which anything is known; none: today, in UTC.
    """
    settings = load_settings()
    today = as_of or dt.datetime.now(dt.UTC).date()
    period = period_of(settings, quarter, today)
    held = books(settings, period, today)
    spoken = language or settings.review.language
    written = [keep(name, said, spoken, forms=forms) for name, said in reviews(held, vendors)]
    for each in written:
        get_run_logger().info("%s: %s", each.title, ", ".join(each.locations.values()))
    publish(
        "reviews",
        f"Business reviews of {period}",
        "Each lies in the blob store; `groundtruth review` writes it to a folder.",
        table(("review", *forms), ((each.title, *each.locations.values()) for each in written)),
    )
    publish(
        "confusions",
        f"Products taken for one another in {period}",
        *(confusion_sections(held.taken, settings.blob_store) or ("No two were.",)),
    )
    return written
