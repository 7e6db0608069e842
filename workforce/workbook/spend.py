"""The sheet of spend: what each kind of work cost in each locale, with totals and a chart."""

from xlsxwriter.utility import xl_rowcol_to_cell

from workforce.money import Money, nothing
from workforce.reviews.review import Review
from workforce.workbook.arithmetic import ratio
from workforce.workbook.charts import INKS, chart, insert
from workforce.workbook.draft import Draft
from workforce.workbook.sheets import Cell, Sheet
from workforce.workbook.tables import Column, Computed, Table, write_table

WIDTHS = (20, 14, 12, 14, 12, 18, 12, 16)
CHART_ROWS = 17


def write(draft: Draft, sheet: Sheet) -> Table | None:
    """The table of spend lines; a portfolio's vendors have subtotals in their own currencies."""
    text = draft.wording.text
    sheet.headed(text("sheet.spend"), draft.about)
    rows: list[dict[str, Cell]] = [
        {
            "vendor": draft.vendor(review),
            "locale": each.locale,
            "kind": draft.kind(each.kind),
            "answers": each.n_answers,
            "labels": each.n_labels,
            "hours": round(each.hours, 2),
            "agreed": each.agreed,
        }
        for review in draft.reviews
        for each in sorted(review.spend, key=lambda each: (each.locale, each.kind))
    ]
    if not rows:
        sheet.paragraph(text("note.none"))
        return None
    table = write_table(
        sheet,
        _columns(draft),
        rows,
        totals=text("label.total"),
        group="vendor" if draft.is_portfolio else "locale",
    )
    sheet.keep(table.header)
    if (
        not draft.is_portfolio
        and len({each.agreed.currency for each in draft.reviews[0].spend}) == 1
    ):
        sheet.skip()
        _by_kind(draft, sheet, table, draft.reviews[0])
    return table


def _columns(draft: Draft) -> list[Column]:
    formats = draft.book.formats
    return draft.columns(
        draft.column("locale"),
        draft.column("kind"),
        draft.column("answers", formats.number(), summed=True),
        draft.column("labels", formats.number(), summed=True),
        draft.column("hours", formats.number(2), summed=True),
        draft.column("agreed", summed=True),
        draft.computed(
            "share",
            formats.share(),
            "=[agreed]/[agreed:total]",
            lambda row, whole: ratio(row["agreed"], whole["agreed"]),
        ),
        draft.computed(
            "per_label",
            formats.number(4),
            "=[agreed]/[labels]",
            lambda row, _: ratio(row["agreed"] and row["agreed"].amount, row["labels"]),
        ),
    )


def _by_kind(draft: Draft, sheet: Sheet, table: Table, review: Review) -> None:
    """Locales beside kinds, added up from the table above, and drawn."""
    sheet.heading(draft.wording.text("workbook.by_kind"))
    locales = sorted({each.locale for each in review.spend})
    kinds = sorted({each.kind for each in review.spend})
    header = sheet.row
    currency = review.spend[0].agreed.currency
    spent: dict[tuple[str, str], Money] = {}
    for each in review.spend:
        cell = each.locale, each.kind
        spent[cell] = spent.get(cell, nothing(currency)) + each.agreed.rounded()

    def of_kind(place: int, kind: str) -> Computed:
        """The column of a kind: the sum of what stands above under its title."""
        title = xl_rowcol_to_cell(header, place, row_abs=True)
        return Computed(
            f"kind_{kind}",
            draft.kind(kind),
            formula=f"=SUMIFS({table.said('agreed')},{table.said('locale')},[locale],"
            f"{table.said('kind')},{title})",
            value=lambda row, _: spent.get((row["locale"], kind), nothing(currency)),
        )

    columns = [
        draft.column("locale"),
        *(of_kind(place, each) for place, each in enumerate(kinds, 1)),
    ]
    rows: list[dict[str, Cell]] = [{"locale": each} for each in locales]
    matrix = write_table(sheet, columns, rows)
    title = draft.wording.text("workbook.spend_chart", currency=currency)
    made = chart(draft, "column/stacked", title, draft.book.formats.number())
    for place, kind in enumerate(kinds):
        made.add_series(
            {
                "name": [sheet.title, header, place + 1],
                "categories": matrix.cells("locale"),
                "values": matrix.cells(f"kind_{kind}"),
                "fill": {"color": INKS[place % len(INKS)]},
                "gap": 60,
            }
        )
    sheet.skip()
    insert(sheet, made, (sheet.row, 0), title, 820, CHART_ROWS)
    sheet.skip(CHART_ROWS + 1)
