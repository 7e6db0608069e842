"""A review's workbook as readers get it: LibreOffice calculates each formula to what we wrote."""

import datetime as dt
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from tests.workforce import reviews
from workforce import WorkforceError
from workforce.money import Money
from workforce.reviews.review import Light, Portfolio, Review
from workforce.reviews.wording import Wording
from workforce.workbook import write

CACHED = re.compile(r"(<f>[^<]*</f>)<v>[^<]*</v>")
HOSTILE = (
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://x.example","click")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "http://x.example/<script>alert(1)</script>",
    "mailto:a@x.example",
    "<b>&amp;</b> 'quoted' \"twice\"",
    "_x0041_",
)
NOTHING_DONE = Review(
    "vendor-z", "Nobody", reviews.QUARTER, reviews.AS_OF, (), "EUR", Light.GREY, ()
)


@dataclass(frozen=True)
class Made:
    """A workbook as we wrote it: formulas, values; and the values that LibreOffice calculated."""

    file: Path
    said: Review | Portfolio
    formulas: Workbook
    ours: Workbook
    theirs: Workbook


def hostile_review() -> Review:
    """One in which everything that people type is an attack."""
    sound = reviews.review(7)
    typed = [reviews.typed(each) for each in HOSTILE]
    return replace(
        sound,
        vendor_name=HOSTILE[0],
        contracts=(HOSTILE[1],),
        summary=tuple(typed),
        causes=tuple(typed),
        risks=tuple(replace(sound.risks[0], what=each) for each in typed),
        actions=tuple(replace(sound.actions[0], what=each, owner=each) for each in typed),
        invoices=tuple(
            replace(sound.invoices[0], invoice=name, why=why)
            for name, why in zip(HOSTILE, typed, strict=True)
        ),
        orders=tuple(replace(sound.orders[0], number=name) for name in HOSTILE),
        confused=tuple(replace(sound.confused[0], one=name, other=name) for name in HOSTILE),
        credits=tuple(replace(sound.credits[0], contract=name, level=typed[0]) for name in HOSTILE),
    )


def brief(said: Review) -> Review:
    """Without its figures by locale and kind, which make a workbook long and no different."""
    return replace(said, figures=tuple(each for each in said.figures if each.cell.locale is None))


def brief_portfolio() -> Portfolio:
    said = reviews.portfolio(4)
    return replace(said, reviews=tuple(map(brief, said.reviews)))


def mixed_review() -> Review:
    """One whose contract changed its currency, and who was billed in a third one."""
    euro, yen = reviews.review(8), reviews.review(9, currency="JPY")
    foreign = replace(euro.invoices[0], line=99, billed=Money(Decimal("12.50"), "USD"))
    return replace(
        brief(euro),
        spend=(*euro.spend, *yen.spend),
        invoices=(*euro.invoices, *yen.invoices, foreign),
        orders=(*euro.orders, *yen.orders),
        credits=(*euro.credits, *yen.credits),
    )


SAID: Mapping[str, Review | Portfolio] = {
    "euro": reviews.review(1),
    "yen": brief(reviews.review(2, currency="JPY")),
    "dinar": brief(reviews.review(3, currency="BHD")),
    "portfolio": brief_portfolio(),
    "hostile": brief(hostile_review()),
    "mixed": mixed_review(),
    "nothing": NOTHING_DONE,
}
LANGUAGES = {"yen": "ja", "dinar": "de-DE", "portfolio": "de"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Made]:
    """All workbooks, calculated by one start of LibreOffice from cells that hold no values."""
    folder = tmp_path_factory.mktemp("workbooks")
    for name in ("written", "emptied", "calculated"):
        (folder / name).mkdir()
    for name, said in SAID.items():
        file = folder / "written" / f"{name}.xlsx"
        write(said, Wording.load(LANGUAGES.get(name, "en-US")), file)
        _without_values(file, folder / "emptied" / file.name)
    soffice = shutil.which("soffice")
    assert soffice is not None, "install LibreOffice: `make programs` does"
    subprocess.run(
        [
            soffice,
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            "xlsx",
            "--outdir",
            str(folder / "calculated"),
            *map(str, sorted((folder / "emptied").iterdir())),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return {
        name: Made(
            folder / "written" / f"{name}.xlsx",
            said,
            load_workbook(folder / "written" / f"{name}.xlsx"),
            load_workbook(folder / "written" / f"{name}.xlsx", data_only=True),
            load_workbook(folder / "calculated" / f"{name}.xlsx", data_only=True),
        )
        for name, said in SAID.items()
    }


def _without_values(file: Path, copy: Path) -> None:
    """A copy whose formulas hold no values: what stands there later was calculated."""
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(copy, "w") as target:
        for part in source.namelist():
            content = source.read(part)
            if part.startswith("xl/worksheets/sheet"):
                content = CACHED.sub(r"\1", content.decode()).encode()
            target.writestr(part, content)


def _formulas(book: Workbook) -> dict[tuple[str, str], str]:
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }


def _named(book: Workbook, name: str) -> object:
    """The value of the cell that a name is for."""
    ((sheet, place),) = book.defined_names[name].destinations
    return book[sheet][place.replace("$", "")].value


def _exactly(money: Money) -> Decimal:
    return money.rounded().amount


@pytest.mark.parametrize("name", [each for each in SAID if each != "nothing"])
def test_libreoffice_calculates_every_formula_to_the_value_that_we_wrote(
    name: str, made: Mapping[str, Made]
) -> None:
    book = made[name]
    formulas = _formulas(book.formulas)
    assert len(formulas) > 100
    for sheet, place in formulas:
        ours, theirs = book.ours[sheet][place].value, book.theirs[sheet][place].value
        assert isinstance(ours, int | float), (sheet, place)
        assert isinstance(theirs, int | float), (sheet, place, theirs)
        assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-12), (sheet, place)


@pytest.mark.parametrize("name", ["euro", "yen", "dinar"])
def test_totals_are_those_of_the_review_to_the_last_digit(
    name: str, made: Mapping[str, Made]
) -> None:
    said = made[name].said
    assert isinstance(said, Review)
    totals = {
        "total_agreed": [each.agreed for each in said.spend],
        "total_billed": [each.billed for each in said.invoices],
        "total_variance": [each.variance for each in said.invoices],
        "total_credit": [each.amount for each in said.credits],
        "total_left": [each.left for each in said.orders],
    }
    for total, amounts in totals.items():
        calculated = Decimal(f"{_named(made[name].theirs, total):.15g}")
        assert calculated == sum(map(_exactly, amounts)), total


def test_the_estimates_at_completion_are_those_of_the_budgets(made: Mapping[str, Made]) -> None:
    said, sheet = made["portfolio"].said, made["portfolio"].theirs["Bestellungen und Budgets"]
    assert isinstance(said, Portfolio)
    cells = {row[0].value: row for row in sheet.iter_rows() if row[0].value}
    for budget in said.budgets:
        *_, planned, so_far = (cell.value for cell in cells[budget.name][:7])
        assert Decimal(f"{planned:.15g}") == _exactly(budget.estimate_as_planned)
        if budget.estimate_as_so_far is None:
            assert so_far is None
        else:
            assert Decimal(f"{so_far:.15g}") == _exactly(budget.estimate_as_so_far)


def test_each_locale_has_its_subtotals(made: Mapping[str, Made]) -> None:
    book = made["euro"].formulas["Spend"]
    sums = [
        cell.value
        for row in book.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith("=SUBTOTAL(9,")
    ]
    assert len(sums) == (len(reviews.LOCALES) + 1) * 4


@pytest.mark.parametrize("name", SAID)
def test_what_people_typed_is_text_in_every_cell(name: str, made: Mapping[str, Made]) -> None:
    for place, formula in _formulas(made[name].formulas).items():
        assert "cmd" not in formula, place
        assert "HYPERLINK" not in formula, place
    with zipfile.ZipFile(made[name].file) as parts:
        assert not [each for each in parts.namelist() if "external" in each.lower()]
        for part in parts.namelist():
            if part.startswith("xl/worksheets/"):
                assert b"hyperlink" not in parts.read(part).lower()


def test_hostile_names_are_read_back_as_they_were_typed(made: Mapping[str, Made]) -> None:
    for book in (made["hostile"].ours, made["hostile"].theirs):
        for sheet, column in (("Invoices", 0), ("Orders and budgets", 0)):
            texts = {row[column].value for row in book[sheet].iter_rows()}
            missing = {each.strip() for each in HOSTILE} - {
                each.strip() for each in texts if isinstance(each, str)
            }
            assert not missing


def test_every_figure_is_a_row_of_the_table_of_data(made: Mapping[str, Made]) -> None:
    said, sheet = made["euro"].said, made["euro"].ours["Data"]
    assert isinstance(said, Review)
    header, *rows = sheet[sheet.tables["Figures"].ref]
    names = [cell.value for cell in header]
    shown = {
        (row["Metric's key"], row["Locale"], row["Kind"], row["Period"]): row
        for row in (dict(zip(names, (cell.value for cell in each), strict=True)) for each in rows)
    }
    assert len(shown) == len(rows)
    for figure in said.figures:
        cell = figure.cell
        key = (figure.metric, cell.locale or "all locales", cell.kind or "all kinds", "2026Q4")
        value = figure.value.amount if isinstance(figure.value, Money) else figure.value
        assert shown[key]["Value"] == (None if value is None else pytest.approx(float(value)))
        assert (shown[key]["n"], shown[key]["Starts"].date()) == (figure.n, cell.period.starts)


def test_a_sheet_keeps_its_header_on_the_screen_and_on_paper(made: Mapping[str, Made]) -> None:
    for name in ("Spend", "Invoices", "Data"):
        sheet = made["euro"].ours[name]
        assert sheet.freeze_panes is not None
        assert sheet.print_title_rows is not None
    for sheet in made["euro"].ours.worksheets:
        assert (sheet.page_setup.fitToWidth or 1) == 1
        assert sheet.protection.sheet is False


def test_paper_is_that_of_the_readers_country(made: Mapping[str, Made]) -> None:
    assert {str(sheet.page_setup.paperSize) for sheet in made["euro"].ours} == {"1"}
    assert {str(sheet.page_setup.paperSize) for sheet in made["dinar"].ours} == {"9"}


def test_amounts_have_the_decimals_of_their_currency(made: Mapping[str, Made]) -> None:
    for name, sheet, form in (
        ("euro", "Spend", r"EUR-409\] #,##0\.00$"),
        ("yen", "費用", r"JPY-411\] #,##0$"),
        ("dinar", "Kosten", r"#,##0\.000 \[\$BHD-407\]$"),
    ):
        forms = {cell.number_format for row in made[name].ours[sheet].iter_rows() for cell in row}
        assert any(re.search(form, each.replace("\xa0", " ")) for each in forms), forms


def test_currencies_are_never_added_up(made: Mapping[str, Made]) -> None:
    names = made["mixed"].ours.defined_names
    assert not [name for name in names if name.startswith("total_")]


def test_a_light_is_a_word_and_a_shape_that_keep_their_colour_when_changed(
    made: Mapping[str, Made],
) -> None:
    sheet = made["euro"].ours["Summary"]
    texts = {cell.value for row in sheet.iter_rows() for cell in row}
    lights = {"● On target", "▲ Not shown", "■ Missed", "○ Not judged"}
    assert lights <= texts
    rules = {
        formula
        for each in sheet.conditional_formatting
        for rule in each.rules
        for formula in rule.formula
    }
    assert {f'"{each}"' for each in lights} <= rules


def test_charts_are_native(made: Mapping[str, Made]) -> None:
    with zipfile.ZipFile(made["euro"].file) as parts:
        charts = [each for each in parts.namelist() if each.startswith("xl/charts/chart")]
    said = made["euro"].said
    assert isinstance(said, Review)
    assert len(charts) == len(said.trends) + 2


def test_pictures_of_confused_products_are_embedded(made: Mapping[str, Made]) -> None:
    said = made["euro"].said
    assert isinstance(said, Review)
    pictures = [
        picture
        for each in said.confused
        for picture in (each.picture_of_one, each.picture_of_other)
        if picture is not None
    ]
    assert len(made["euro"].formulas["Quality"]._images) == len(pictures)


def test_the_same_review_makes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write(reviews.review(5), Wording.load("ja"), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_dates_are_dates(made: Mapping[str, Made]) -> None:
    sheet = made["yen"].ours["発注と予算"]
    days = {cell.value for row in sheet.iter_rows() for cell in row if cell.is_date}
    assert dt.datetime(2027, 6, 30) in days


def test_an_amount_that_no_cell_holds_is_refused(tmp_path: Path) -> None:
    said = reviews.review()
    huge = replace(said.spend[0], agreed=Money(Decimal("12345678901234.56"), "EUR"))
    with pytest.raises(WorkforceError, match="15 digits"):
        write(replace(said, spend=(huge,)), Wording.load("en"), tmp_path / "huge.xlsx")


def test_two_vendors_of_one_name_are_told_apart(tmp_path: Path) -> None:
    said = brief_portfolio()
    twins = tuple(replace(each, vendor_name="Twin") for each in said.reviews)
    write(replace(said, reviews=twins), Wording.load("en"), tmp_path / "twins.xlsx")
    sheet = load_workbook(tmp_path / "twins.xlsx")["Spend"]
    names = {row[0].value for row in sheet.iter_rows()}
    assert {"Twin (vendor-a)", "Twin (vendor-b)", "Twin (vendor-c)"} <= names
