"""The sheet of invoices: each line beside the accepted work it is for, and credits to claim."""

from workforce.workbook.arithmetic import difference, ratio
from workforce.workbook.draft import Draft
from workforce.workbook.sheets import Cell, Sheet
from workforce.workbook.tables import Column, Table, write_table

WIDTHS = (24, 8, 60, 19, 19, 19, 13)


def write(draft: Draft, sheet: Sheet) -> tuple[Table | None, Table | None]:
    """The table of invoices' lines and that of credits; None where there are none."""
    text = draft.wording.text
    sheet.headed(text("sheet.invoices"), draft.about)
    lines: list[dict[str, Cell]] = [
        {
            "vendor": draft.vendor(review),
            "invoice": each.invoice,
            "line": each.line,
            "billed": each.billed,
            "by_contract": each.agreed,
            "why": draft.wording.said(each.why),
        }
        for review in draft.reviews
        for each in sorted(review.invoices, key=lambda each: (each.invoice, each.line))
    ]
    group = "vendor" if draft.is_portfolio else "invoice"
    total = text("label.total")
    billed = None
    if lines:
        billed = write_table(sheet, _lines(draft), lines, totals=total, group=group)
        sheet.keep(billed.header)
        draft.mark_above_nothing(sheet, billed, "variance")
    else:
        sheet.paragraph(text("note.none"))
    sheet.paragraph(text("note.invoices"), italic=True)
    sheet.skip()
    sheet.heading(text("heading.credits"))
    claims: list[dict[str, Cell]] = [
        {
            "vendor": draft.vendor(review),
            "contract": each.contract,
            "line": place,
            "level": f"{draft.wording.said(each.level)}\n{draft.wording.said(each.missed)}",
            "credit": each.amount,
        }
        for review in draft.reviews
        for place, each in enumerate(review.credits, 1)
    ]
    if not claims:
        sheet.paragraph(text("note.none"))
        return billed, None
    columns = draft.columns(
        draft.column("contract"),
        draft.column("line", draft.book.formats.number()),
        draft.column("level"),
        draft.column("credit", summed=True),
    )
    group = "vendor" if draft.is_portfolio else "contract"
    return billed, write_table(sheet, columns, claims, totals=total, group=group)


def _lines(draft: Draft) -> list[Column]:
    return draft.columns(
        draft.column("invoice"),
        draft.column("line", draft.book.formats.number()),
        draft.column("why"),
        draft.column("billed", summed=True),
        draft.column("agreed", summed=True).called("by_contract"),
        draft.computed(
            "variance",
            "General",
            "=ROUND([billed]-[by_contract],[digits])",
            lambda row, _: difference(row["billed"], row["by_contract"]),
        ),
        draft.computed(
            "variance_share",
            draft.book.formats.signed(draft.book.formats.share()),
            "=[variance]/[by_contract]",
            lambda row, _: ratio(row["variance"], row["by_contract"]),
        ),
    )
