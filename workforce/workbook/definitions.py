"""The sheet of definitions: what each metric says, and the command that lists its rows."""

from workforce.performance.figures import Metric
from workforce.workbook.draft import Draft
from workforce.workbook.sheets import Sheet
from workforce.workbook.tables import write_table

WIDTHS = (30, 90, 52)


def write(draft: Draft, sheet: Sheet) -> None:
    text = draft.wording.text
    sheet.headed(text("sheet.definitions"), draft.about)
    columns = [draft.column(name) for name in ("metric", "definition", "rows")]
    rows = [
        {
            "metric": text(f"metric.{metric}"),
            "definition": text(f"definition.{metric}"),
            "rows": _command(draft, metric),
        }
        for metric in Metric
    ]
    sheet.keep(write_table(sheet, columns, rows).header)
    sheet.skip()
    for each in ("scorecard", "trends", "invoices", "budgets", "locales"):
        sheet.paragraph(text(f"note.{each}"))


def _command(draft: Draft, metric: Metric) -> str:
    """How a reader lists the rows that a figure of the whole vendor was computed from."""
    vendor = "VENDOR" if draft.is_portfolio else draft.reviews[0].vendor
    period = draft.period.name
    return f"groundtruth metrics rows {metric} --vendor {vendor} --period {period}"
