"""How the annotators do, from all that they have answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation import Alpha, Record, picture_alpha, records, verdict_alpha
from catalog import decisions
from tasks.artifacts import table
from tasks.settings import load_settings

HEADER = (
    *("locale", "annotator", "answered", "skill", "right on gold", "agree with others"),
    *("median s", "trend", "to look into"),
)
ALPHAS = ("locale", "verdicts", "pictures")


@dataclass(frozen=True)
class Annotators:
    """The record of each annotator, and how far those of a locale agree beyond chance."""

    records: Sequence[Record]
    verdicts: dict[str, Alpha]
    pictures: dict[str, Alpha]


def annotators() -> Annotators:
    """What all answers so far say of those who gave them."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        answers = decisions.every_answer(transaction)
        questions = decisions.questions(transaction, list(answers))
    locales = sorted({question.locale for question in questions.values()})
    of_locale = {
        locale: [each for each in questions.values() if each.locale == locale] for locale in locales
    }
    return Annotators(
        records(questions, answers, method=settings.annotate.consensus),
        {locale: verdict_alpha(asked, answers) for locale, asked in of_locale.items()},
        {locale: picture_alpha(asked, answers) for locale, asked in of_locale.items()},
    )


def annotators_page() -> tuple[str, ...]:
    """The same as sections of a page."""
    found = annotators()
    return (
        "Skill is the mean probability that what they say of a picture or a question is right, from"
        " gold and agreement together. Shares stand with their 95 % Wilson interval and number of"
        " answers. The trend is the change of agreement from the earlier to the later half.",
        table(HEADER, map(cells, found.records)),
        "Krippendorff's alpha with its 95 % bootstrap interval and number of items: .80 and more is"
        " reliable, below .67 little can be concluded.",
        table(
            ALPHAS,
            (
                (locale, str(found.verdicts[locale]), str(found.pictures[locale]))
                for locale in found.verdicts
            ),
        ),
    )


def cells(record: Record) -> tuple[str, ...]:
    """One line of the table."""
    return (
        record.locale,
        record.annotator,
        str(record.n_answered),
        f"{record.skill:.1%} of {record.n_judged}" if record.n_judged else "–",
        str(record.gold),
        str(record.agreement),
        f"{record.seconds:.1f}",
        "–" if record.trend != record.trend else f"{record.trend:+.0%}",
        "; ".join(record.flags),
    )
