"""What all sheets of a review's workbook share: the book, the language, lights and columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workforce.performance.definitions import DEFINITIONS, Unit
from workforce.performance.figures import Metric
from workforce.periods import Period
from workforce.reviews.review import Light, Portfolio, Review
from workforce.reviews.wording import Wording
from workforce.workbook.sheets import Book, Cell, Sheet
from workforce.workbook.tables import Column, Computed, Table, Values

VENDOR_WIDTH = 24
# A light is told by its word and its shape as well as by its colour.
SHAPES = {Light.GREEN: "●", Light.AMBER: "▲", Light.RED: "■", Light.GREY: "○"}
COLOURS = {
    Light.GREEN: ("#DCF1E3", "#135C37"),
    Light.AMBER: ("#FDEDCB", "#754800"),
    Light.RED: ("#FADAD6", "#8A1C13"),
    Light.GREY: ("#E7EAEE", "#47525D"),
}


@dataclass(frozen=True)
class Draft:
    """A workbook that is being written about `reviews`, each of another vendor."""

    book: Book
    wording: Wording
    title: str
    about: str
    period: Period
    reviews: tuple[Review, ...]
    is_portfolio: bool

    def sheet(self, key: str, widths: Sequence[float]) -> Sheet:
        return self.book.sheet(self.wording.text(f"sheet.{key}"), widths)

    def sheet_of_vendors(self, key: str, widths: Sequence[float]) -> Sheet:
        """A sheet whose tables have a column for the vendor, where there are several."""
        return self.sheet(key, [VENDOR_WIDTH, *widths] if self.is_portfolio else widths)

    def columns(self, *columns: Column) -> list[Column]:
        """These, after one for the vendor where there are several."""
        return [self.column("vendor"), *columns] if self.is_portfolio else list(columns)

    def column(self, name: str, form: str = "General", *, summed: bool = False) -> Column:
        return Column(name, self.wording.text(f"column.{name}"), form, summed)

    def computed(
        self,
        name: str,
        form: str,
        formula: str,
        value: Callable[[Values, Values], Cell],
    ) -> Computed:
        title = self.wording.text(f"column.{name}")
        return Computed(name, title, form, formula=formula, value=value)

    def form(self, metric: Metric) -> str:
        """The number format of a metric that is no money."""
        formats, defined = self.book.formats, DEFINITIONS[metric]
        of_unit = formats.share if defined.unit == Unit.SHARE else formats.number
        return of_unit(defined.digits)

    def vendor(self, review: Review) -> str:
        """The vendor's name; with its site where another one is called the same."""
        names = [each.vendor_name for each in self.reviews]
        if names.count(review.vendor_name) == 1:
            return review.vendor_name
        return f"{review.vendor_name} ({review.vendor})"

    def locale(self, locale: str | None) -> str:
        return locale or self.wording.text("locale.all")

    def kind(self, kind: str | None) -> str:
        return self.wording.text(f"kind.{kind or 'all'}")

    def light(self, light: Light, of: str = "light") -> str:
        """A light in a word; those of a whole (`light.of`) are called otherwise."""
        return f"{SHAPES[light]} {self.wording.text(f'{of}.{light}')}"

    def bars(self, sheet: Sheet, table: Table, name: str) -> None:
        """Bars behind the shares of a column, as long as the share of 1."""
        whole = {"min_type": "num", "min_value": 0, "max_type": "num", "max_value": 1}
        look = {"type": "data_bar", "bar_color": "#A9C0D8", "bar_solid": True}
        sheet.made.conditional_format(*table.area(name), {**look, **whole})

    def mark_above_nothing(self, sheet: Sheet, table: Table, name: str) -> None:
        """Mark amounts of a column that are above 0."""
        rule = {"type": "cell", "criteria": ">", "value": 0}
        rule["format"] = self.book.coloured(*COLOURS[Light.RED])
        sheet.made.conditional_format(*table.area(name), rule)

    def colour(self, sheet: Sheet, table: Table, name: str, of: str = "light") -> None:
        """Colour the lights of a column, also those that somebody changes."""
        for light in Light:
            ground, ink = COLOURS[light]
            said = self.light(light, of).replace('"', '""')
            rule = {"type": "cell", "criteria": "==", "value": f'"{said}"'}
            rule["format"] = self.book.coloured(ground, ink)
            sheet.made.conditional_format(*table.area(name), rule)


def drafted(said: Review | Portfolio, wording: Wording, file: Path) -> Draft:
    """An empty workbook about `said`."""
    period = wording.period(said.period)
    reviews: tuple[Review, ...]
    match said:
        case Review(vendor_name=name, contracts=contracts):
            reviews = (said,)
            title = wording.text("title.review", vendor=name, period=period)
            of = wording.text("label.no_contract")
            if contracts:
                of = wording.text("label.contracts", contracts=", ".join(contracts))
        case Portfolio():
            reviews = said.reviews
            title = wording.text("title.portfolio", period=period)
            of = wording.text("workbook.vendors", n=len(reviews))
    about = "  ·  ".join(
        (
            wording.text("label.days", starts=said.period.starts, ends=said.period.ends),
            wording.text("label.as_of", day=said.as_of),
            of,
            wording.text("workbook.currency", currency=said.currency),
        )
    )
    book = Book(file, wording.locale, title=title, made=said.as_of)
    return Draft(book, wording, title, about, said.period, reviews, isinstance(said, Portfolio))
