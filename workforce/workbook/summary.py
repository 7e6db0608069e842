"""The first sheet: where everything stands, in sentences, lights and sums that lead to rows."""

from dataclasses import dataclass

from workforce.reviews.review import LocaleLine, Portfolio, Recommendation, Review, Said
from workforce.workbook import scorecard
from workforce.workbook.arithmetic import ratio
from workforce.workbook.charts import INKS, chart, insert
from workforce.workbook.data import Figures
from workforce.workbook.draft import COLOURS, Draft
from workforce.workbook.sheets import Cell, Sheet
from workforce.workbook.tables import Table, write_table

WIDTHS = scorecard.WIDTHS
CHART_ROWS = 16
WIDTHS_OF_PORTFOLIO = (30, 22, 22, 19, 19, 19, 19, 22, 17, 17)


@dataclass(frozen=True)
class Tables:
    """What other sheets hold that the first one points to; None where nothing is told."""

    figures: Figures
    spend: Table | None
    invoices: Table | None
    credits: Table | None
    orders: Table | None


def write_review(draft: Draft, sheet: Sheet, review: Review, tables: Tables) -> None:
    text = draft.wording.text
    _head(draft, sheet, review)
    sheet.heading(text("heading.scorecard"))
    table = scorecard.write(draft, sheet, tables.figures)
    sheet.skip()
    if table is not None:
        sheet.heading(text("workbook.weights"))
        scorecard.weights(draft, sheet, table, review)
        sheet.skip()
    _sentences(draft, sheet, "heading.causes", review.causes)
    _money(draft, sheet, tables)
    if review.recommendation is not None:
        _recommendation(draft, sheet, review.recommendation)


def write_portfolio(draft: Draft, sheet: Sheet, portfolio: Portfolio, tables: Tables) -> None:
    text = draft.wording.text
    _head(draft, sheet, portfolio)
    sheet.heading(text("heading.vendors"))
    columns = [
        draft.column(name)
        for name in (
            "vendor",
            "currency",
            "light",
            "agreed",
            "billed",
            "variance",
            "credit",
            "advice",
            "notice_by",
        )
    ]
    rows = [_vendor(draft, each, tables) for each in draft.reviews]
    draft.colour(sheet, write_table(sheet, columns, rows), "light", "light.of")
    sheet.skip()
    if portfolio.locales:
        _locales(draft, sheet, portfolio)


def _head(draft: Draft, sheet: Sheet, said: Review | Portfolio) -> None:
    sheet.headed(draft.title, draft.about)
    ground, ink = COLOURS[said.light]
    sheet.write(
        sheet.row,
        0,
        draft.light(said.light, "light.of"),
        "General",
        bold=True,
        bg_color=ground,
        font_color=ink,
        align="center",
    )
    sheet.made.freeze_panes(sheet.row - 1, 0)
    sheet.skip(2)
    _sentences(draft, sheet, "heading.summary", said.summary)


def _sentences(draft: Draft, sheet: Sheet, heading: str, said: tuple[Said, ...]) -> None:
    if said:
        sheet.heading(draft.wording.text(heading))
        for each in said:
            sheet.paragraph(f"•  {draft.wording.said(each)}")
        sheet.skip()


def _money(draft: Draft, sheet: Sheet, tables: Tables) -> None:
    """The totals of the other sheets, each by its formula, and by a name of its own."""
    summed = {
        "agreed": tables.spend,
        "billed": tables.invoices,
        "variance": tables.invoices,
        "credit": tables.credits,
        "left": tables.orders,
    }
    sums = {name: table.sum(name) for name, table in summed.items() if table is not None}
    known = {name: cell for name, cell in sums.items() if cell is not None}
    if not known:
        return
    sheet.heading(draft.wording.text("heading.spend"))
    columns = [draft.column("what"), draft.column("amount")]
    rows: list[dict[str, Cell]] = [
        {"what": draft.wording.text(f"workbook.total.{name}"), "amount": cell}
        for name, cell in known.items()
    ]
    table = write_table(sheet, columns, rows)
    for place, name in enumerate(known):
        sheet.book.name(f"total_{name}", table.cell("amount", table.first + place))
    sheet.skip()


def _recommendation(draft: Draft, sheet: Sheet, said: Recommendation) -> None:
    text = draft.wording.text
    sheet.heading(text("heading.recommendation"))
    notice = (
        text("advice.notice", day=said.notice_by) if said.notice_by else text("advice.no_notice")
    )
    sheet.paragraph(f"{text(f'advice.{said.advice}')}  ·  {notice}", bold=True)
    for each in said.because:
        sheet.paragraph(f"•  {draft.wording.said(each)}")


def _vendor(draft: Draft, review: Review, tables: Tables) -> dict[str, Cell]:
    vendor, advice = draft.vendor(review), review.recommendation

    def of_vendor(table: Table | None, name: str) -> Cell:
        return table.sum(name, vendor) if table is not None else None

    return {
        "vendor": vendor,
        "currency": review.currency,
        "light": draft.light(review.light, "light.of"),
        "agreed": of_vendor(tables.spend, "agreed"),
        "billed": of_vendor(tables.invoices, "billed"),
        "variance": of_vendor(tables.invoices, "variance"),
        "credit": of_vendor(tables.credits, "credit"),
        "advice": draft.wording.text(f"advice.{advice.advice}") if advice else None,
        "notice_by": advice.notice_by if advice else None,
    }


def _locales(draft: Draft, sheet: Sheet, portfolio: Portfolio) -> None:
    text, count = draft.wording.text, draft.book.formats.number()
    sheet.heading(text("heading.locales"))
    columns = [
        draft.column("locale"),
        draft.column("light"),
        draft.column("planned", count, summed=True),
        draft.column("accepted", count, summed=True),
        draft.computed(
            "coverage",
            draft.book.formats.share(),
            "=[accepted]/[planned]",
            lambda row, _: ratio(row["accepted"], row["planned"]) if row.get("locale") else None,
        ),
        draft.column("open", count, summed=True),
        draft.column("overdue", count, summed=True),
        draft.column("spent", summed=True),
        draft.column("done_p50"),
        draft.column("done_p85"),
    ]
    rows = [_locale(draft, each) for each in portfolio.locales]
    table = write_table(sheet, columns, rows, totals=text("label.total"))
    draft.colour(sheet, table, "light", "light.of")
    draft.bars(sheet, table, "coverage")
    sheet.paragraph(text("note.locales"), italic=True)
    sheet.skip()
    made = chart(draft, "column", text("heading.locales"), count)
    for name, colour in (("planned", "#C3CFDB"), ("accepted", INKS[0])):
        made.add_series(
            {
                "name": text(f"column.{name}"),
                "categories": table.cells("locale"),
                "values": table.cells(name),
                "fill": {"color": colour},
                "overlap": -5,
                "gap": 60,
            }
        )
    insert(sheet, made, (sheet.row, 0), text("heading.locales"), 820, CHART_ROWS)


def _locale(draft: Draft, line: LocaleLine) -> dict[str, Cell]:
    return {
        "locale": line.locale,
        "light": draft.light(line.light, "light.of"),
        "planned": line.planned,
        "accepted": line.accepted,
        "open": line.open_questions,
        "overdue": line.overdue_questions,
        "spent": line.spent,
        "done_p50": line.done_p50,
        "done_p85": line.done_p85,
    }
