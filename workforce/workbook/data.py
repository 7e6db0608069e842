"""The sheet of data: every figure on a row of its own, in one table, ready for a pivot table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workforce.money import Money
from workforce.performance.definitions import DEFINITIONS, Unit
from workforce.performance.figures import Cell as Place
from workforce.performance.figures import Figure, Metric
from workforce.reviews.review import Review
from workforce.workbook.draft import Draft
from workforce.workbook.sheets import Cell as Value
from workforce.workbook.sheets import Elsewhere, Sheet
from workforce.workbook.tables import Column, Table

WIDTHS = (16, 26, 12, 12, 11, 13, 13, 28, 20, 14, 13, 11, 11, 9)
TEXTS = {"vendor", "vendor_name", "locale", "kind", "period", "metric", "metric_key", "unit"}


@dataclass(frozen=True)
class Figures:
    """Where each figure stands on the sheet."""

    table: Table
    rows: Mapping[tuple[Metric, Place], int]

    def cell(self, figure: Figure | None, name: str) -> Elsewhere | None:
        """The cell with a figure's value, low, high or n; None where it has none."""
        value = getattr(figure, name) if figure is not None else None
        if figure is None or value is None:
            return None
        return Elsewhere(self.table.cell(name, self.rows[figure.metric, figure.cell]), value)


def write(draft: Draft, sheet: Sheet) -> Figures:
    """All figures that the reviews name: of the period, the one before, and their trends."""
    sheet.headed(draft.wording.text("sheet.data"), draft.about)
    sheet.paragraph(draft.wording.text("workbook.data"))
    sheet.skip()
    columns = [
        draft.column(name)
        for name in (
            "vendor",
            "vendor_name",
            "locale",
            "kind",
            "period",
            "starts",
            "ends",
            "metric",
            "metric_key",
            "value",
            "unit",
            "low",
            "high",
            "n",
        )
    ]
    header = sheet.row
    aligned = ["left" if each.name in TEXTS else "right" for each in columns]
    sheet.header([each.title for each in columns], aligned)
    sheet.keep(header)
    rows: dict[tuple[Metric, Place], int] = {}
    for review in draft.reviews:
        for figure in _named(review):
            if (figure.metric, figure.cell) not in rows:
                rows[figure.metric, figure.cell] = sheet.row
                _write(draft, sheet, review, figure)
    last = max(sheet.row - 1, header + 1)
    _make_a_table(sheet, columns, aligned, header, last)
    places = {each.name: place for place, each in enumerate(columns)}
    return Figures(Table(sheet.title, places, header, header + 1, last), rows)


def _named(review: Review) -> Iterator[Figure]:
    yield from review.figures
    for score in review.scores:
        yield score.figure
        if score.before is not None:
            yield score.before
    for trend in review.trends:
        yield from trend.figures


def _write(draft: Draft, sheet: Sheet, review: Review, figure: Figure) -> None:
    cell = figure.cell
    form = draft.form(figure.metric)
    of_all: tuple[tuple[Value, str], ...] = (
        (review.vendor, "General"),
        (review.vendor_name, "General"),
        (draft.locale(cell.locale), "General"),
        (draft.kind(cell.kind), "General"),
        (cell.period.name, "General"),
        (cell.period.starts, "General"),
        (cell.period.ends, "General"),
        (draft.wording.text(f"metric.{figure.metric}"), "General"),
        (figure.metric.value, "General"),
        (figure.value, form),
        (_unit(draft, figure), "General"),
        (figure.low, form),
        (figure.high, form),
        (figure.n, draft.book.formats.number()),
    )
    for place, (value, shape) in enumerate(of_all):
        sheet.write(sheet.row, place, value, shape)
    sheet.row += 1


def _unit(draft: Draft, figure: Figure) -> str:
    if isinstance(figure.value, Money):
        return figure.value.currency
    unit = DEFINITIONS[figure.metric].unit
    if unit == Unit.MONEY:
        return ""
    return draft.wording.text(
        f"workbook.unit.{Unit.SHARE if unit == Unit.SHARE else figure.metric}"
    )


def _make_a_table(
    sheet: Sheet, columns: Sequence[Column], aligned: Sequence[str], header: int, last: int
) -> None:
    """What Excel calls a table: it filters, sorts and feeds pivot tables by its name."""
    sheet.made.add_table(
        header,
        0,
        last,
        len(columns) - 1,
        {
            "name": "Figures",
            "style": "Table Style Light 1",
            "columns": [
                {"header": each.title, "header_format": sheet.book.head(align)}
                for each, align in zip(columns, aligned, strict=True)
            ],
        },
    )
