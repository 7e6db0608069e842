"""A business review or a portfolio as an Excel workbook: formulas, native charts, plain tables.

What a sheet says stands in one module each. A figure is written once, on the sheet of data, and an
amount once, in its table: other sheets point to these cells, so that a reader can follow a number
by its formula.
"""

from collections.abc import Sequence
from pathlib import Path

from workforce.reviews.review import BudgetLine, Portfolio, Review
from workforce.reviews.wording import Wording
from workforce.workbook import (
    data,
    definitions,
    invoices,
    orders,
    quality,
    risks,
    scorecard,
    spend,
    summary,
    trends,
)
from workforce.workbook.draft import Draft, drafted

__all__ = ["write"]


def write(said: Review | Portfolio, wording: Wording, file: Path) -> None:
    """Write `file`, an .xlsx workbook; what was there is replaced.

    The same review in the same language makes the same bytes.

    Raises `WorkforceError` where a text is missing, or an amount has more digits than Excel holds.
    """
    draft = drafted(said, wording, file)
    match said:
        case Review():
            front = draft.sheet("summary", summary.WIDTHS)
            summary.write_review(draft, front, said, _others(draft, said, ()))
        case Portfolio():
            front = draft.sheet("summary", summary.WIDTHS_OF_PORTFOLIO)
            scores = draft.sheet_of_vendors("scorecards", scorecard.WIDTHS)
            others = _others(draft, said, said.budgets)
            summary.write_portfolio(draft, front, said, others)
            scorecard.write_alone(draft, scores, others.figures)
    draft.book.close()


def _others(
    draft: Draft, said: Review | Portfolio, budgets: Sequence[BudgetLine]
) -> summary.Tables:
    """All sheets but the first; what they point to is written first."""
    of_trends = draft.sheet("trends", trends.WIDTHS)
    of_quality = draft.sheet_of_vendors("quality", quality.WIDTHS)
    of_spend = draft.sheet_of_vendors("spend", spend.WIDTHS)
    of_invoices = draft.sheet_of_vendors("invoices", invoices.WIDTHS)
    of_orders = draft.sheet_of_vendors("orders", orders.WIDTHS)
    of_risks = draft.sheet("risks", risks.WIDTHS)
    of_data = draft.sheet("data", data.WIDTHS)
    figures = data.write(draft, of_data)
    trends.write(draft, of_trends, figures)
    quality.write(draft, of_quality, figures)
    risks.write(draft, of_risks, said)
    definitions.write(draft, draft.sheet("definitions", definitions.WIDTHS))
    return summary.Tables(
        figures,
        spend.write(draft, of_spend),
        *invoices.write(draft, of_invoices),
        orders.write(draft, of_orders, budgets),
    )
