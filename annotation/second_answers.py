"""Which second questions are worth asking until the products are as sure as is wanted.

A product that several answers hold together is as sure as the weakest of them. The questions that
would settle most wrong pairs per second come first, until the expected precision of a locale's
products is reached, counting what is asked already as settled, or until what they would put right
costs more than it is worth.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from annotation.agenda import Entry, Source
from annotation.decision_graph import DecisionGraph
from annotation.doubt import Doubt, DoubtfulJoin, Redundancy, doubtful_joins, redundancy_questions
from annotation.effort import Paced, Work
from annotation.questions import Asking
from catalog.schema import QuestionKind

TIMES = 3
"""How often the same pictures are put before people, at most: what they then still contradict each
other about is for the lead."""

PLACES = 500
"""Doubtful places of a locale that are looked at in a turn, those with the most wrong pairs."""


@dataclass(frozen=True)
class SecondAnswers:
    """What is asked again, and how sure the products of a locale are.

    Attributes
    ----------
    entries
        The questions, the most wrong pairs per second first.
    before, after
        Expected precision of the products, now and when everything asked is answered.
    n_dear
        Questions that are left, for what they would put right costs more than it is worth.
    """

    entries: tuple[Entry, ...]
    before: float
    after: float
    n_dear: int


def held_by_several(graph: DecisionGraph, locale: str) -> list[str]:
    """The products of which two decisions of a locale or more speak, sorted.

    A product of one decision has no place where it may fall into halves.
    """
    product_of = graph.product_of
    n_decisions: Counter[str] = Counter()
    for question, decision in graph.decided.values():
        if question.locale == locale:
            shown = (product_of.get(image) for group in decision.groups for image in group)
            n_decisions.update({product for product in shown if product is not None})
    return sorted(product for product, n in n_decisions.items() if n > 1)


def second_answers(
    graph: DecisionGraph,
    doubts: Sequence[Doubt],
    *,
    locale: str,
    standing: Collection[str],
    busy: Collection[str],
    removed: Collection[str],
    asking: Asking,
    pace: Paced,
) -> SecondAnswers:
    """What to ask again of the products of `doubts`.

    Parameters
    ----------
    standing
        Questions that are open: what they are about counts as settled.
    busy
        Images of questions that are open or planned; none is asked about twice at a time.
    removed
        Images that nobody may see any more.
    """
    n_pairs = sum(doubt.n_pairs for doubt in doubts)
    wrong = sum(doubt.wrong_pairs for doubt in doubts)
    before = _precision(wrong, n_pairs)
    if before >= asking.precision_at_least:
        return SecondAnswers((), before, before, 0)
    places = (join for join in _joins(graph, doubts, removed) if join.locale == locale)
    offered = redundancy_questions(list(places), per_sheet=asking.pictures_per_sheet)
    decided = {each.question.id for each in graph.decided.values()}
    shown = Counter(frozenset(each.question.image_ids) for each in graph.decided.values())
    wrong -= sum(each.wrong_pairs for each in offered if each.question.id in standing)
    size = Counter(graph.product_of.values())
    possible = [
        (each, _entry(each, size, pace))
        for each in offered
        if each.question.id not in decided
        and each.question.id not in standing
        and shown[frozenset(each.question.image_ids)] < TIMES
    ]
    possible.sort(key=lambda pair: (-pair[0].wrong_pairs / pair[1].seconds, pair[1].question.id))
    chosen: list[Entry] = []
    n_dear = 0
    taken = set(busy)
    for redundancy, entry in possible:
        if _precision(wrong, n_pairs) >= asking.precision_at_least:
            break
        if not taken.isdisjoint(entry.question.image_ids):
            continue
        if entry.price > asking.mend_seconds:
            n_dear += 1
            continue
        chosen.append(entry)
        taken.update(entry.question.image_ids)
        wrong -= redundancy.wrong_pairs
    return SecondAnswers(tuple(chosen), before, _precision(wrong, n_pairs), n_dear)


def _joins(
    graph: DecisionGraph, doubts: Iterable[Doubt], removed: Collection[str]
) -> Iterable[DoubtfulJoin]:
    for join in doubtful_joins(graph, doubts, most=PLACES):
        left, right = (
            tuple(image for image in side if image not in removed)
            for side in (join.left, join.right)
        )
        if left and right:
            yield replace(join, left=left, right=right)


def _entry(redundancy: Redundancy, size: Counter[str], pace: Paced) -> Entry:
    question, joins = redundancy
    n_pictures = len(question.image_ids) + len(question.reference_ids)
    n_wrong = sum((1 - join.posterior) * join.n_left for join in joins)
    removed = n_wrong if question.kind == QuestionKind.VERIFY else 0.0
    expects = f"{redundancy.wrong_pairs:.1f} wrong pairs expected"
    if len(joins) == 1:
        [join] = joins
        reason = (
            f"Two parts of a product, of {size[join.product_id] - join.n_left} and {join.n_left}"
            f" pictures, hang together with {join.posterior:.0%}: {expects}."
        )
    else:
        sure = sum(join.posterior for join in joins) / len(joins)
        reason = f"{len(joins)} pictures that hang on a product with {sure:.0%} each: {expects}."
    return Entry(
        Source.SECOND,
        question,
        (),
        n_wrong,
        pace.line(Work.of(question.kind, n_pictures)).seconds(n_pictures, removed),
        reason,
    )


def _precision(wrong: float, n_pairs: int) -> float:
    return 1 - max(wrong, 0.0) / n_pairs if n_pairs else 1.0
