"""The sheet of orders and budgets: how far they are used up, and what the whole will cost."""

import datetime as dt
from collections.abc import Sequence

from workforce.reviews.review import BudgetLine, OrderLine
from workforce.workbook.arithmetic import difference, ratio
from workforce.workbook.charts import INKS, chart, insert, marker
from workforce.workbook.draft import Draft
from workforce.workbook.sheets import LINE, Cell, Elsewhere, Sheet
from workforce.workbook.tables import Column, Table, Values, write_table

WIDTHS = (20, 15, 15, 17, 17, 17, 17, 17, 15, 15, 13)
CHART_ROWS = 16


def write(draft: Draft, sheet: Sheet, budgets: Sequence[BudgetLine]) -> Table | None:
    """The table of orders; the sheet holds the budgets of a portfolio as well."""
    text = draft.wording.text
    sheet.headed(text("sheet.orders"), draft.about)
    sheet.made.freeze_panes(sheet.row - 1, 0)
    if budgets:
        sheet.heading(text("heading.budgets"))
        write_table(sheet, _budget_columns(draft), [_budget(each) for each in budgets])
        sheet.paragraph(text("note.budgets"), italic=True)
        sheet.skip()
    sheet.heading(text("heading.orders"))
    lines = [(draft.vendor(review), each) for review in draft.reviews for each in review.orders]
    if not lines:
        sheet.paragraph(text("note.none"))
        return None
    rows = [_order(vendor, each) for vendor, each in lines]
    group = "vendor" if draft.is_portfolio else None
    table = write_table(sheet, _order_columns(draft), rows, totals=text("label.total"), group=group)
    draft.bars(sheet, table, "used")
    sheet.skip()
    if not draft.is_portfolio:
        _burn_down(draft, sheet, table, [each for _, each in lines])
    return table


def _order(vendor: str, line: OrderLine) -> dict[str, Cell]:
    return {
        "vendor": vendor,
        "order": line.number,
        "starts": line.starts,
        "ends": line.ends,
        "amount": line.amount,
        "invoiced": line.invoiced,
        "accrued": line.accrued,
        "runs_out_p50": line.runs_out_p50,
        "runs_out_p85": line.runs_out_p85,
    }


def _order_columns(draft: Draft) -> list[Column]:
    formats = draft.book.formats
    return draft.columns(
        draft.column("order"),
        draft.column("starts"),
        draft.column("ends"),
        draft.column("amount", summed=True),
        draft.column("invoiced", summed=True),
        draft.column("accrued", summed=True),
        draft.computed(
            "left",
            "General",
            "=ROUND([amount]-[invoiced]-[accrued],[digits])",
            lambda row, _: difference(difference(row["amount"], row["invoiced"]), row["accrued"]),
        ),
        draft.computed(
            "used",
            formats.share(),
            "=1-[left]/[amount]",
            _used,
        ),
        draft.column("runs_out_p50"),
        draft.column("runs_out_p85"),
        draft.computed(
            "spare_days",
            formats.number(),
            "=[ends]-[runs_out_p50]",
            lambda row, _: (
                (row["ends"] - row["runs_out_p50"]).days if row.get("runs_out_p50") else None
            ),
        ),
    )


def _used(row: Values, _: Values) -> Cell:
    left = ratio(row["left"], row["amount"])
    return None if left is None else 1 - left


def _burn_down(draft: Draft, sheet: Sheet, table: Table, lines: Sequence[OrderLine]) -> None:
    """What is left of each order: when it began, today, and when it is expected to have run out."""
    text = draft.wording.text
    as_of = draft.reviews[0].as_of
    sheet.heading(text("workbook.burn_down"))
    share = draft.book.formats.share(0)
    columns = [
        draft.column("order"),
        draft.column("starts"),
        draft.column("as_of"),
        draft.column("runs_out_p50"),
        draft.column("left_at_start", share),
        draft.column("left_now", share),
        draft.column("left_at_end", share),
    ]
    rows: list[dict[str, Cell]] = [
        {
            "order": each.number,
            "starts": each.starts,
            "as_of": as_of,
            "runs_out_p50": each.runs_out_p50,
            "left_at_start": 1,
            "left_now": _left(table, place, each),
            "left_at_end": 0 if each.runs_out_p50 else None,
        }
        for place, each in enumerate(lines)
    ]
    placed = write_table(sheet, columns, rows)
    sheet.skip()
    title = text("workbook.burn_down")
    made = chart(draft, "scatter/straight_with_markers", title, share, min=0, max=1)
    for place in range(len(lines)):
        colour = INKS[place % len(INKS)]
        made.add_series(
            {
                "name": [sheet.title, placed.first + place, placed.columns["order"]],
                "categories": placed.across("starts", "runs_out_p50", place),
                "values": placed.across("left_at_start", "left_at_end", place),
                "line": {"color": colour, "width": 2},
                "marker": marker("circle", 7, colour),
            }
        )
    days = [day for each in lines for day in (each.starts, each.runs_out_p50, as_of) if day]
    made.set_x_axis(
        {
            "num_format": draft.book.formats.date(),
            "min": _number(min(days)),
            "max": _number(max(days)),
            "num_font": {"size": 9},
            "line": {"color": LINE},
        }
    )
    insert(sheet, made, (sheet.row, 0), title, 820, CHART_ROWS)
    sheet.skip(CHART_ROWS + 1)


def _number(day: dt.date) -> int:
    """A day as Excel counts days."""
    return (day - dt.date(1899, 12, 30)).days


def _left(table: Table, place: int, line: OrderLine) -> Cell:
    used = (line.invoiced.rounded() + line.accrued.rounded()).amount
    if not line.amount.amount:
        return None
    return Elsewhere(
        f"1-{table.cell('used', table.first + place)}", 1 - used / line.amount.rounded().amount
    )


def _budget(line: BudgetLine) -> dict[str, Cell]:
    return {
        "budget": line.name,
        "bac": line.at_completion,
        "ac": line.actual,
        "ev": line.earned,
        "forecast_p50": line.forecast_p50,
        "forecast_p85": line.forecast_p85,
    }


def _budget_columns(draft: Draft) -> list[Column]:
    return [
        draft.column("budget"),
        draft.column("bac"),
        draft.column("ac"),
        draft.column("ev"),
        draft.computed(
            "cpi",
            draft.book.formats.number(3),
            "=[ev]/[ac]",
            lambda row, _: ratio(row["ev"], row["ac"]),
        ),
        draft.computed(
            "eac_planned",
            "General",
            "=ROUND([ac]+([bac]-[ev]),[digits])",
            lambda row, _: BudgetLine("", row["bac"], row["ac"], row["ev"]).estimate_as_planned,
        ),
        draft.computed(
            "eac_so_far",
            "General",
            "=ROUND([ac]+([bac]-[ev])/([ev]/[ac]),[digits])",
            lambda row, _: BudgetLine("", row["bac"], row["ac"], row["ev"]).estimate_as_so_far,
        ),
        draft.computed(
            "vac",
            "General",
            "=ROUND([bac]-[eac_so_far],[digits])",
            lambda row, _: row["bac"] - row["eac_so_far"].rounded() if row["eac_so_far"] else None,
        ),
        draft.column("forecast_p50"),
        draft.column("forecast_p85"),
    ]
