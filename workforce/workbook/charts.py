"""How charts look in a review's workbook."""

from collections.abc import Sequence
from typing import Any

from workforce.workbook.draft import Draft
from workforce.workbook.sheets import LINE, SLATE, Sheet

INKS = ("#24405E", "#C98F3A", "#5E8C6A", "#8C5E86", "#6F94B8")
ROW_PIXELS = 20


def chart(draft: Draft, kind: str, title: str, form: str, **axis: Any) -> Any:
    """A chart with its legend below and quiet lines; `form` is the format of the values' axis."""
    made = draft.book.chart(kind)
    made.set_title({"name": title, "name_font": {"size": 12, "color": SLATE}, "overlay": False})
    made.set_legend({"position": "bottom", "font": {"size": 9}})
    made.set_x_axis({"num_font": {"size": 9}, "line": {"color": LINE}})
    made.set_y_axis(
        {
            "num_format": form,
            "num_font": {"size": 9},
            "major_gridlines": {"visible": True, "line": {"color": LINE, "width": 0.5}},
            "line": {"none": True},
            **axis,
        }
    )
    made.set_chartarea({"border": {"color": LINE}})
    made.show_blanks_as("gap")
    return made


def marker(kind: str, size: int, colour: str) -> dict[str, Any]:
    return {
        "type": kind,
        "size": size,
        "fill": {"color": colour},
        "border": {"color": "#FFFFFF" if size > 6 else colour},
    }


def insert(
    sheet: Sheet, made: Any, place: Sequence[int], title: str, width: int, rows: int
) -> None:
    """Put a chart of `width` pixels and so many rows at a row and column."""
    made.set_size({"width": width, "height": rows * ROW_PIXELS})
    row, column = place
    sheet.made.insert_chart(
        row, column, made, {"description": title, "object_position": 1, "x_offset": 4}
    )
