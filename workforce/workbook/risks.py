"""The sheet of risks and actions: what may go wrong, and who does what by when."""

from workforce.reviews.review import Action, Portfolio, Review, Risk
from workforce.workbook.draft import Draft
from workforce.workbook.sheets import Cell, Sheet
from workforce.workbook.tables import write_table

WIDTHS = (24, 92, 30, 16)


def write(draft: Draft, sheet: Sheet, said: Review | Portfolio) -> None:
    text = draft.wording.text
    sheet.headed(text("sheet.risks"), draft.about)
    sheet.made.freeze_panes(sheet.row - 1, 0)
    sheet.heading(text("heading.risks"))
    risks = [_risk(draft, each, "") for each in said.risks]
    actions = [_action(draft, each, "") for each in said.actions]
    if draft.is_portfolio:
        for review in draft.reviews:
            risks += [_risk(draft, each, draft.vendor(review)) for each in review.risks]
            actions += [_action(draft, each, draft.vendor(review)) for each in review.actions]
    if risks:
        columns = [draft.column("light"), draft.column("risk")]
        if draft.is_portfolio:
            columns.append(draft.column("vendor"))
        draft.colour(sheet, write_table(sheet, columns, risks), "light", "light.of")
    else:
        sheet.paragraph(text("note.none"))
    sheet.skip()
    sheet.heading(text("heading.actions"))
    if actions:
        columns = [draft.column(name) for name in ("owner", "action", "vendor", "due")]
        if not draft.is_portfolio:
            columns = [each for each in columns if each.name != "vendor"]
        write_table(sheet, columns, actions)
    else:
        sheet.paragraph(text("note.none"))


def _risk(draft: Draft, risk: Risk, vendor: str) -> dict[str, Cell]:
    said = draft.wording.said(risk.what)
    return {"light": draft.light(risk.light, "light.of"), "risk": said, "vendor": vendor}


def _action(draft: Draft, action: Action, vendor: str) -> dict[str, Cell]:
    return {
        "action": draft.wording.said(action.what),
        "owner": draft.wording.said(action.owner),
        "due": action.due,
        "vendor": vendor,
    }
