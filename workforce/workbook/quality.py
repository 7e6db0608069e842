"""The sheet of quality: metrics by locale and kind, and the products that are most confused."""

import io

from PIL import Image

from workforce.performance.figures import Figure, Metric
from workforce.reviews.review import Confused, Review
from workforce.workbook.arithmetic import ratio
from workforce.workbook.data import Figures
from workforce.workbook.draft import Draft
from workforce.workbook.sheets import Cell, Sheet
from workforce.workbook.tables import Column, Table, write_table

SHOWN = (
    Metric.GOLD_ACCURACY,
    Metric.SENSITIVITY,
    Metric.SPECIFICITY,
    Metric.FIRST_PASS_YIELD,
    Metric.REWORK_RATE,
    Metric.DEFECT_RATE,
    Metric.ESCAPE_RATE,
    Metric.AGREEMENT,
)
WIDTHS = (28, 28, *(13, 11) * len(SHOWN))
PICTURE_SIDE = 72  # pixels
PICTURE_ROW = 60  # points, which are 80 pixels


def write(draft: Draft, sheet: Sheet, figures: Figures) -> None:
    text = draft.wording.text
    sheet.headed(text("sheet.quality"), draft.about)
    sheet.heading(text("heading.quality"))
    rows = [row for review in draft.reviews for row in _rows(draft, review, figures)]
    if rows:
        write_table(sheet, _columns(draft), rows)
    else:
        sheet.paragraph(text("note.none"))
    sheet.paragraph(text("workbook.intervals"), italic=True)
    sheet.skip()
    sheet.heading(text("heading.confused"))
    confused = [(review, each) for review in draft.reviews for each in review.confused]
    if not confused:
        sheet.paragraph(text("note.none"))
        return
    table = write_table(
        sheet, _pairs(draft), [_pair(draft, *each) for each in confused], height=PICTURE_ROW
    )
    for place, (_, each) in enumerate(confused):
        for name, picture, product in (
            ("picture_of_one", each.picture_of_one, each.one),
            ("picture_of_other", each.picture_of_other, each.other),
        ):
            if picture is not None:
                _show(sheet, table, table.first + place, name, picture, product)


def _columns(draft: Draft) -> list[Column]:
    """For each metric its value, and the n that it was measured on."""
    pairs = [
        column
        for metric in SHOWN
        for column in (
            Column(metric.value, draft.wording.text(f"metric.{metric}"), draft.form(metric)),
            Column(f"n_{metric}", draft.wording.text("column.n"), draft.book.formats.number()),
        )
    ]
    return [*draft.columns(draft.column("locale"), draft.column("kind")), *pairs]


def _rows(draft: Draft, review: Review, figures: Figures) -> list[dict[str, Cell]]:
    by_cell: dict[tuple[str | None, str | None], dict[str, Cell]] = {}
    for each in review.figures:
        if each.metric in SHOWN:
            place = each.cell.locale, each.cell.kind
            row = by_cell.setdefault(place, _row(draft, review, each))
            row[each.metric.value] = figures.cell(each, "value")
            row[f"n_{each.metric}"] = figures.cell(each, "n")
    order = sorted(by_cell, key=lambda place: (place[0] or "", place[1] or ""))
    return [by_cell[place] for place in order]


def _row(draft: Draft, review: Review, figure: Figure) -> dict[str, Cell]:
    return {
        "vendor": draft.vendor(review),
        "locale": draft.locale(figure.cell.locale),
        "kind": draft.kind(figure.cell.kind),
    }


def _pairs(draft: Draft) -> list[Column]:
    count = draft.book.formats.number()
    return draft.columns(
        draft.column("product"),
        draft.column("taken_for"),
        draft.column("picture_of_one"),
        draft.column("picture_of_other"),
        draft.column("locale"),
        draft.column("confused", count),
        draft.column("of_answers", count),
        draft.computed(
            "share",
            draft.book.formats.share(),
            "=[confused]/[of_answers]",
            lambda row, _: ratio(row["confused"], row["of_answers"]),
        ),
    )


def _pair(draft: Draft, review: Review, confused: Confused) -> dict[str, Cell]:
    return {
        "vendor": draft.vendor(review),
        "locale": confused.locale,
        "product": confused.one,
        "taken_for": confused.other,
        "confused": confused.n,
        "of_answers": confused.of,
    }


def _show(sheet: Sheet, table: Table, row: int, name: str, picture: bytes, product: str) -> None:
    """A small copy of a picture in its cell: without what its file says beside the picture."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    sheet.picture(row, table.columns[name], stream, product)
