"""Gold questions: their answer is known, and they tell whom to trust.

They look like any other and stand among the others; each annotator of a locale gets all of them.
They are made of products that are labelled already, with pictures of another product mixed in.
"""

from collections.abc import Mapping, Sequence
from random import Random

from catalog.identity import digest, set_digest
from catalog.schema import Answer, Question, QuestionKind, Verdict

FEWEST_IMAGES = 3
LARGEST_SHEET = 12
MOST_INTRUDERS = 2


def gold_questions(
    products: Mapping[str, Sequence[str]],
    *,
    n_questions: int,
    locale: str,
    site: str,
    per_sheet: int,
) -> list[Question]:
    """Up to `n_questions` sheets, every other one with intruders; always the same of the same.

    Parameters
    ----------
    products
        The images of each product that is known in the locale.
    """
    usable = {
        key: sorted(images) for key, images in products.items() if len(images) >= FEWEST_IMAGES
    }
    chosen = sorted(usable, key=lambda key: digest("gold", site, locale, key))[:n_questions]
    return [
        _sheet(product, usable, number % 2 == 0, locale=locale, site=site, per_sheet=per_sheet)
        for number, product in enumerate(chosen)
        if len(usable) > 1
    ]


def is_right(question: Question, answer: Answer) -> bool:
    """Whether `answer` says what is expected of a gold question."""
    expected = question.expected or {}
    return answer.verdict == expected["verdict"] and set(answer.intruder_ids) == set(
        expected["intruder_ids"]
    )


def _sheet(
    product: str,
    products: Mapping[str, Sequence[str]],
    spoilt: bool,
    *,
    locale: str,
    site: str,
    per_sheet: int,
) -> Question:
    chance = Random(digest("gold sheet", site, product))
    images = list(products[product])
    chance.shuffle(images)
    images = images[: min(per_sheet - MOST_INTRUDERS, LARGEST_SHEET)]
    others = sorted(set(products) - {product})
    stranger = products[chance.choice(others)]
    n_intruders = min(MOST_INTRUDERS, (len(images) - 1) // 2) if spoilt else 0
    intruders = chance.sample(list(stranger), min(n_intruders, len(stranger)))
    shown = [*images, *intruders]
    chance.shuffle(shown)
    return Question(
        id=digest("gold", site, locale, set_digest(shown)),
        kind=QuestionKind.VERIFY,
        locale=locale,
        site=site,
        image_ids=shown,
        expected={"verdict": Verdict.CONFIRM.value, "intruder_ids": intruders},
    )
