"""The scorecard: each metric beside the period before and what was agreed, with its light."""

from workforce.reviews.review import Light, Review, Score
from workforce.workbook.arithmetic import difference
from workforce.workbook.data import Figures
from workforce.workbook.draft import Draft
from workforce.workbook.sheets import Cell, Sheet
from workforce.workbook.tables import Column, Table, write_table

WIDTHS = (30, 17, 11, 11, 9, 17, 15, 17, 15, 10, 23, 50)


def write(draft: Draft, sheet: Sheet, figures: Figures) -> Table | None:
    """The scores of all reviews; None where there are none."""
    rows = [
        _row(draft, review, score, figures) for review in draft.reviews for score in review.scores
    ]
    if not rows:
        sheet.paragraph(draft.wording.text("note.none"))
        return None
    table = write_table(sheet, _columns(draft), rows)
    draft.colour(sheet, table, "light")
    sheet.paragraph(draft.wording.text("note.scorecard"), italic=True)
    return table


def write_alone(draft: Draft, sheet: Sheet, figures: Figures) -> None:
    """A sheet of its own for the scorecards of several vendors."""
    sheet.headed(draft.wording.text("sheet.scorecards"), draft.about)
    table = write(draft, sheet, figures)
    if table is not None:
        sheet.keep(table.header)


def weights(draft: Draft, sheet: Sheet, table: Table, review: Review) -> None:
    """What weight of a scorecard has which light."""
    share = draft.book.formats.share(0)
    of_lights = {
        draft.light(light): sum(each.weight for each in review.scores if each.light == light)
        for light in Light
    }
    columns = [
        draft.column("light"),
        draft.computed(
            "weight",
            share,
            f"=SUMIFS({table.said('weight')},{table.said('light')},[light])",
            lambda row, _: of_lights[row["light"]],
        ),
    ]
    placed = write_table(sheet, columns, [{"light": each} for each in of_lights])
    draft.colour(sheet, placed, "light")
    draft.bars(sheet, placed, "weight")
    sheet.book.name("weight_on_target", placed.cell("weight", placed.first))


def _row(draft: Draft, review: Review, score: Score, figures: Figures) -> dict[str, Cell]:
    figure, form = score.figure, draft.form(score.figure.metric)
    return {
        "vendor": draft.vendor(review),
        "metric": draft.wording.text(f"metric.{figure.metric}"),
        "value": figures.cell(figure, "value"),
        "low": figures.cell(figure, "low"),
        "high": figures.cell(figure, "high"),
        "n": figures.cell(figure, "n"),
        "before": figures.cell(score.before, "value"),
        "target": score.target,
        "weight": score.weight,
        "light": draft.light(score.light),
        "why": draft.wording.said(score.why),
        "form": form,
        "signed": draft.book.formats.signed(form),
    }


def _columns(draft: Draft) -> list[Column]:
    return draft.columns(
        draft.column("metric"),
        draft.column("value", "form"),
        draft.column("low", "form"),
        draft.column("high", "form"),
        draft.column("n", draft.book.formats.number()),
        draft.column("before", "form"),
        draft.computed(
            "change",
            "signed",
            "=[value]-[before]",
            lambda row, _: difference(row["value"], row["before"]),
        ),
        draft.column("target", "form"),
        draft.computed(
            "gap",
            "signed",
            "=[value]-[target]",
            lambda row, _: difference(row["value"], row["target"]),
        ),
        draft.column("weight", draft.book.formats.share(0)),
        draft.column("light"),
        draft.column("why"),
    )
