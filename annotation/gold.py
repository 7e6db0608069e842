"""Gold questions: their answer is known, and they tell whom to trust.

They look like any other and stand among the others; each annotator of a locale gets all of them.
They are made of products that are labelled already, with pictures of another product mixed in.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from catalog.identity import digest, set_digest
from catalog.schema import Answer, Question, QuestionKind, Verdict

FEWEST_IMAGES = 3
MOST_INTRUDERS = 2


def gold_questions(
    products: Mapping[str, Sequence[str]], *, locale: str, site: str
) -> Iterator[Question]:
    """A sheet of each product that has pictures enough, every other one with intruders.

    Parameters
    ----------
    products
        The images of each product that is known in the locale.
    """
    usable = {
        key: sorted(images) for key, images in products.items() if len(images) >= FEWEST_IMAGES
    }
    if len(usable) < 2:
        return
    chosen = sorted(usable, key=lambda key: digest("gold", site, locale, key))
    for number, product in enumerate(chosen):
        n_intruders = MOST_INTRUDERS if number % 2 == 0 else 0
        yield _sheet(product, usable, n_intruders, locale=locale, site=site)


def is_right(question: Question, answer: Answer) -> bool:
    """Whether `answer` says what is expected of a gold question."""
    expected = question.expected or {}
    return answer.verdict == expected["verdict"] and set(answer.intruder_ids) == set(
        expected["intruder_ids"]
    )


def _sheet(
    product: str,
    products: Mapping[str, Sequence[str]],
    n_intruders: int,
    *,
    locale: str,
    site: str,
) -> Question:
    chance = Random(digest("gold sheet", site, product))
    images = list(products[product])
    stranger = list(products[chance.choice(sorted(set(products) - {product}))])
    intruders = chance.sample(stranger, min(n_intruders, (len(images) - 1) // 2, len(stranger)))
    shown = [*images, *intruders]
    chance.shuffle(shown)
    return Question(
        id=digest("gold", site, locale, set_digest(shown)),
        kind=QuestionKind.VERIFY,
        locale=locale,
        site=site,
        image_ids=shown,
        expected={"verdict": Verdict.CONFIRM.value, "intruder_ids": sorted(intruders)},
    )
