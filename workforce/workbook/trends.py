"""The sheet of trends: each metric period by period, beside what was agreed, as chart and table."""

from math import ceil, floor
from typing import Any

from workforce.money import Money
from workforce.performance.definitions import DEFINITIONS, Unit
from workforce.reviews.review import Trend
from workforce.workbook.charts import chart, insert, marker
from workforce.workbook.data import Figures
from workforce.workbook.draft import Draft
from workforce.workbook.sheets import SLATE, Cell, Sheet
from workforce.workbook.tables import Column, Table, write_table

WIDTHS = (13, 12, 12, 12, 9, 12, 12, 3, 82)
CHART_COLUMN = 8
CHART_ROWS = 17
RED, GREY = "#B3261E", "#8D99A6"


def write(draft: Draft, sheet: Sheet, figures: Figures) -> None:
    text = draft.wording.text
    sheet.headed(text("sheet.trends"), draft.about)
    told = [(review, trend) for review in draft.reviews for trend in review.trends]
    if not told:
        sheet.paragraph(text("note.none"))
        return
    sheet.paragraph(text("workbook.trends"))
    sheet.skip()
    sheet.made.freeze_panes(sheet.row, 0)
    for review, trend in told:
        metric = text(f"metric.{trend.metric}")
        sheet.heading(f"{draft.vendor(review)}: {metric}" if draft.is_portfolio else metric)
        begins = sheet.row
        table = write_table(sheet, _columns(draft, trend), _rows(trend, figures))
        _draw(draft, sheet, begins, table, trend)
        sheet.row = max(sheet.row, begins + CHART_ROWS) + 1


def _columns(draft: Draft, trend: Trend) -> list[Column]:
    form = draft.form(trend.metric)
    return [
        draft.column("period"),
        draft.column("value", form),
        draft.column("low", form),
        draft.column("high", form),
        draft.column("n", draft.book.formats.number()),
        draft.column("target", form),
        draft.column("alarm", form),
    ]


def _rows(trend: Trend, figures: Figures) -> list[dict[str, Cell]]:
    return [
        {
            "period": each.cell.period.name,
            "value": figures.cell(each, "value"),
            "low": figures.cell(each, "low"),
            "high": figures.cell(each, "high"),
            "n": figures.cell(each, "n"),
            "target": trend.target,
            "alarm": figures.cell(each, "value") if each.cell.period in trend.alarms else None,
        }
        for each in trend.figures
    ]


def _draw(draft: Draft, sheet: Sheet, row: int, table: Table, trend: Trend) -> None:
    """A line with its interval, the target dashed, a diamond at each alarm."""
    text = draft.wording.text
    title = text(f"metric.{trend.metric}")
    made = chart(draft, "line", title, draft.form(trend.metric), **_bounds(trend))

    def add(name: str, said: str, **look: Any) -> None:
        series = {"categories": table.cells("period"), "values": table.cells(name)}
        made.add_series({"name": said, **series, **look})

    thin = {"color": GREY, "width": 0.75, "dash_type": "round_dot"}
    add("value", title, line={"color": SLATE, "width": 2.25}, marker=marker("circle", 5, SLATE))
    add("low", text("column.low"), line=thin)
    add("high", text("column.high"), line=thin)
    if trend.target is not None:
        dashed = {"color": RED, "width": 1.5, "dash_type": "dash"}
        add("target", text("column.target"), line=dashed)
    if trend.alarms:
        add("alarm", text("column.alarm"), line={"none": True}, marker=marker("diamond", 12, RED))
    insert(sheet, made, (row, CHART_COLUMN), title, 640, CHART_ROWS)


def _bounds(trend: Trend) -> dict[str, float]:
    """The ends of the axis: that of shares need not begin at 0, so that one sees what happens."""
    seen = [
        value
        for each in trend.figures
        for value in (each.low, each.value, each.high, trend.target)
        if value is not None and not isinstance(value, Money)
    ]
    if not seen or DEFINITIONS[trend.metric].unit != Unit.SHARE:
        return {"min": 0}
    steps = 20  # of 5 %
    return {
        "min": max(0.0, floor(min(seen) * steps) / steps),
        "max": min(1.0, ceil(max(seen) * steps) / steps),
        "major_unit": 1 / steps,
    }
