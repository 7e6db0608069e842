"""Which questions are worth a human second: those that place the most images in it come first.

An image is placed when it has a product. Whatever may place images is a candidate: a cluster, as
one of several thresholds cuts it, whose sheet people would verify; a known product, to which they
would attach images; one image, which they would name; a mixed sheet, which they would sort; two
products that look alike. A candidate lists its images, the surest first, and is asked about as far
down that list as makes an image cheapest: a longer sheet spreads what every question costs, a less
sure picture is likelier to be ticked. Candidates are taken from the cheapest image on, none with an
image that is taken already, until enough is open; images that would cost more than they are worth
are left for a better model.

What is asked follows from what is decided and what stands open alone: nothing here remembers.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotation.effort import Line, Paced, Work
from annotation.outlook import Cut, Float, Int, Outlook, Stray
from annotation.partition import Partition
from annotation.questions import (
    GALLERY,
    LARGEST_SPLIT,
    Asking,
    attach_questions,
    merge_question,
    split_question,
    suggested_name,
    verify_questions,
)
from annotation.trust import NO_CORRECTION, Trust
from catalog.schema import Question, QuestionKind

REFERENCES = 4
"""Pictures of a known product beside those that are compared with it."""

STEEP, EVEN = 3.0, 0.5
"""How surely a sheet has a majority, by the share that is expected to belong."""

GROUP = 4
"""Pictures of a mixed sheet that show one product, on average."""


@dataclass(frozen=True)
class Planned:
    """A question, and what is expected of it.

    Attributes
    ----------
    question
    belonging
        The model's own probability that each of the question's images belongs to the product.
    gain
        Images that are expected to get their product.
    seconds
        Human seconds that one answer is expected to take.
    """

    question: Question
    belonging: tuple[float, ...]
    gain: float
    seconds: float

    @property
    def price(self) -> float:
        """Human seconds per image placed."""
        return self.seconds / max(self.gain, 1e-9)

    @property
    def reason(self) -> str:
        """Why it is asked, in one sentence."""
        n = len(self.question.image_ids)
        expects = f"{self.gain:.1f} images in {self.seconds:.0f} s, {self.price:.1f} s each"
        match QuestionKind(self.question.kind):
            case QuestionKind.VERIFY if n == 1:
                return f"One picture that is cheaper to name than to compare: {expects}."
            case QuestionKind.VERIFY:
                likely = sum(self.belonging) / n
                return f"{n} pictures of which {likely:.0%} should show one product: {expects}."
            case QuestionKind.ATTACH:
                likely = sum(self.belonging) / n
                return f"{n} pictures of which {likely:.0%} should show this product: {expects}."
            case QuestionKind.SPLIT:
                return f"{n} pictures of a mixed sheet, which no cut makes purer: {expects}."
            case QuestionKind.MERGE:
                likely = self.belonging[0]
                return f"Two galleries that show one product with {likely:.0%}: {expects}."


class _Candidates(NamedTuple):
    """Candidates of one kind, each at the length at which an image is cheapest.

    `image` and `said` hold the places of images and the model's probabilities, the surest first;
    candidate i has rows start[i] to stop[i]. `product` is the place of the product that it is
    compared with, or whose name is suggested, or -1.
    """

    kind: QuestionKind
    image: Int
    said: Float
    start: Int
    stop: Int
    product: Int
    gain: Float
    seconds: Float


def plan(
    outlook: Outlook,
    known: Partition,
    galleries: Mapping[str, Sequence[str]],
    open_questions: Sequence[Question],
    asking: Asking,
    pace: Paced,
    *,
    mixed: Sequence[Question] = (),
    trust: Trust = NO_CORRECTION,
) -> list[Planned]:
    """The questions to ask now, the cheapest image first.

    Parameters
    ----------
    known
        What is decided: an image with a product is not asked about, and none is compared with a
        product that it is known not to show.
    galleries
        Pictures of each known product.
    open_questions
        What was asked and is not decided: their images wait for that.
    pace
        How fast those are who will be asked.
    mixed
        Sheets of which people said that no product has the majority; none is asked about again.
    """
    has_product = map(known.product_of.__contains__, outlook.image_ids)
    waiting = ~np.fromiter(has_product, np.bool_, len(outlook.image_ids))
    free = waiting.copy()
    standing = {question.id for question in open_questions}
    asked = [question.image_ids for question in open_questions]
    free[_places(outlook, chain.from_iterable(asked))] = False
    n_allowed = max(round(asking.open_share * waiting.sum()), asking.open_at_least)
    n_allowed -= int(waiting.sum() - free.sum())
    sources = [
        *(
            _sheets(outlook, cut, free, asking, pace.line(Work.VERIFY), trust)
            for cut in outlook.cuts
        ),
        _attachments(outlook, known, free, asking, pace.line(Work.ATTACH), trust),
        _alone(outlook, free, pace.line(Work.SINGLE)),
        _sortings(outlook, free, mixed, pace),
    ]
    asked_before = {question.id for question in mixed}
    chosen = [
        *_likenesses(outlook, known, galleries, standing, asking, pace.line(Work.MERGE)),
        *_second_looks(outlook, known, standing, asking, pace.line(Work.MERGE)),
        *_looks_at_strays(outlook, asked, asking, pace.line(Work.ATTACH)),
    ]
    for source, number in _cheapest_first(sources, asking.worth_seconds):
        if n_allowed <= 0:
            break
        rows = slice(source.start[number], source.stop[number])
        if not free[source.image[rows]].all():
            continue
        each = _planned(source, number, outlook, known, galleries, asking)
        if each.question.id not in asked_before:
            free[source.image[rows]] = False
            n_allowed -= rows.stop - rows.start
            chosen.append(each)
    return sorted(chosen, key=lambda each: (each.price, each.question.id))


def _places(outlook: Outlook, images: Iterable[str]) -> list[int]:
    """The places of those of `images` that the outlook is on."""
    return [place for place in map(outlook.place_of.get, images) if place is not None]


def _sheets(
    outlook: Outlook,
    cut: Cut,
    free: NDArray[np.bool_],
    asking: Asking,
    verify: Line,
    trust: Trust,
) -> _Candidates:
    """Clusters to be verified. Where no product has the majority, nothing is gained."""
    image = cut.surest_first[free[cut.surest_first]]
    owner, said = cut.labels[image], cut.membership[image]
    surest = image[np.flatnonzero(np.diff(owner, prepend=-1))]
    product = outlook.likeliest[surest]
    named = np.where(product >= 0, trust.attachment(outlook.probability[surest]), 0.0)
    suggested = np.where(named >= asking.suggest_at_least, named, 0.0)
    belongs = trust.membership(said)

    def gain(n: Int, expected: Float) -> Float:
        majority = 1 / (1 + np.exp(-STEEP * np.sqrt(n + 3) * (expected / n - EVEN)))
        return expected * majority

    return _at_best_length(
        QuestionKind.VERIFY,
        (owner, image, said),
        belongs,
        gain,
        fixed=verify.question + verify.name * (1 - suggested),
        product=np.where(suggested > 0, product, -1),
        lengths=(asking.smallest_cluster, asking.pictures_per_sheet),
        line=verify,
    )


def _attachments(
    outlook: Outlook,
    known: Partition,
    free: NDArray[np.bool_],
    asking: Asking,
    attach: Line,
    trust: Trust,
) -> _Candidates:
    """Images that may show a known product, by that product."""
    possible = free & (outlook.likeliest >= 0) & (outlook.probability > 0)
    for place in _places(outlook, (end for pair in known.apart for end in pair)):
        if possible[place]:
            product = outlook.product_ids[outlook.likeliest[place]]
            possible[place] = not known.differ(outlook.image_ids[place], product)
    image = outlook.surest_first[possible[outlook.surest_first]]
    owner, said = outlook.likeliest[image], outlook.probability[image]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    return _at_best_length(
        QuestionKind.ATTACH,
        (owner, image, said),
        trust.attachment(said),
        lambda _, expected: expected,
        fixed=np.full(len(first), attach.seconds(REFERENCES)),
        product=owner[first],
        lengths=(1, asking.pictures_per_sheet - GALLERY),
        line=attach,
    )


def _alone(outlook: Outlook, free: NDArray[np.bool_], single: Line) -> _Candidates:
    """Every image by itself, to be named."""
    image = np.flatnonzero(free)
    ones = np.ones(len(image))
    return _Candidates(
        QuestionKind.VERIFY,
        image,
        ones,
        np.arange(len(image)),
        np.arange(len(image)) + 1,
        np.full(len(image), -1),
        ones,
        single.seconds(1, n_named=1) * ones,
    )


def _sortings(
    outlook: Outlook, free: NDArray[np.bool_], mixed: Sequence[Question], pace: Paced
) -> _Candidates:
    """Mixed sheets to be sorted, whose groups are then named."""
    place_of = outlook.place_of
    waiting = (
        [place for i in each.image_ids if (place := place_of.get(i, -1)) >= 0 and free[place]]
        for each in mixed
    )
    whole = [places[:LARGEST_SPLIT] for places in waiting if len(places) > 1]
    sizes = np.array([len(sheet) for sheet in whole], dtype=np.int64)
    stop = np.cumsum(sizes)
    split, naming = pace.line(Work.SPLIT), pace.line(Work.VERIFY).seconds(GROUP, n_named=1)
    return _Candidates(
        QuestionKind.SPLIT,
        np.array([place for sheet in whole for place in sheet], dtype=np.int64),
        np.ones(int(sizes.sum())),
        stop - sizes,
        stop,
        np.full(len(sizes), -1),
        sizes.astype(np.float64),
        np.array([split.seconds(n) + naming * n / GROUP for n in sizes]),
    )


def _likenesses(
    outlook: Outlook,
    known: Partition,
    galleries: Mapping[str, Sequence[str]],
    standing: Collection[str],
    asking: Asking,
    merge: Line,
) -> list[Planned]:
    """Whether two products that look alike are one; it moves the images of the smaller."""
    size = Counter(known.product_of.values())
    found = []
    for each in outlook.alike:
        if not known.may_be_same(each.first, each.second):
            continue
        question = merge_question(
            galleries[each.first],
            galleries[each.second],
            about=[each.first, each.second],
            locale=outlook.locale,
        )
        gain = each.probability * min(size[each.first], size[each.second])
        asked = Planned(question, (each.probability,), gain, merge.question)
        if question.id not in standing and asked.price <= asking.worth_seconds:
            found.append(asked)
    return found


def _second_looks(
    outlook: Outlook,
    known: Partition,
    standing: Collection[str],
    asking: Asking,
    merge: Line,
) -> list[Planned]:
    """Whether two parts of a product are one; where they are not, the smaller was misplaced."""
    found = []
    for each in outlook.misfits:
        question = merge_question(
            each.others,
            each.images,
            about=[known.product_of[each.images[0]], *each.images],
            locale=outlook.locale,
        )
        gain = (1 - each.probability) * min(len(each.images), len(each.others))
        asked = Planned(question, (each.probability,), gain, merge.question)
        if question.id not in standing and asked.price <= asking.mend_seconds:
            found.append(asked)
    return found


def _looks_at_strays(
    outlook: Outlook, asked: Iterable[Sequence[str]], asking: Asking, attach: Line
) -> Iterator[Planned]:
    """Whether images show the product that they have, the likeliest to be wrong on one sheet."""
    waiting = {each.image for each in outlook.strays}.intersection(chain.from_iterable(asked))
    of_product: dict[str, list[Stray]] = defaultdict(list)
    for each in sorted(outlook.strays, key=lambda each: (each.probability, each.image)):
        if each.image not in waiting:
            of_product[each.product].append(each)
    for product, strays in sorted(of_product.items()):
        sheet = strays[: asking.pictures_per_sheet - GALLERY]
        wrong = np.cumsum([1 - each.probability for each in sheet])
        references = sheet[0].others[:REFERENCES]
        n = np.arange(1, len(sheet) + 1)
        seconds = attach.seconds(len(references)) + attach.picture * n + attach.removed * wrong
        best = int(np.argmin(seconds / wrong))
        if seconds[best] > asking.mend_seconds * wrong[best]:
            continue
        [question] = attach_questions(
            [each.image for each in sheet[: best + 1]],
            product_id=product,
            references=references,
            locale=outlook.locale,
            cluster_id=None,
            per_sheet=asking.pictures_per_sheet,
        )
        belonging = tuple(each.probability for each in sheet[: best + 1])
        yield Planned(question, belonging, float(wrong[best]), float(seconds[best]))


def _at_best_length(
    kind: QuestionKind,
    listed: tuple[Int, Int, Float],
    belongs: Float,
    gain: Callable[[Int, Float], Float],
    *,
    fixed: Float,
    product: Int,
    lengths: tuple[int, int],
    line: Line,
) -> _Candidates:
    """Cut each owner's list where an image is cheapest.

    Parameters
    ----------
    listed
        Owner, image and the model's word of each row, by owner, the surest first.
    belongs
        Probability of each row, as it is corrected.
    gain
        Images placed by the first n of a list, of which so many are expected to belong.
    fixed, product
        Of each owner: seconds whatever the length, and the product.
    lengths
        The least and the most that may be asked about at a time.
    line
        Seconds of each picture.
    """
    owner, image, said = listed
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    if not len(starts):
        return _Candidates(kind, image, said, starts, starts, product, fixed, fixed)
    number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(owner)))
    n = np.arange(len(owner)) - starts[number] + 1
    total = np.cumsum(belongs)
    expected = total - (total[starts] - belongs[starts])[number]
    gained = gain(n, expected)
    seconds = fixed[number] + line.picture * n + line.removed * (n - expected)
    price = np.where(
        (n >= lengths[0]) & (n <= lengths[1]), seconds / np.maximum(gained, 1e-9), np.inf
    )
    cheapest = np.minimum.reduceat(price, starts)
    best = np.flatnonzero(price == cheapest[number])
    best = best[np.flatnonzero(np.diff(number[best], prepend=-1))]
    possible = np.isfinite(price[best])
    best, starts, product = best[possible], starts[possible], product[possible]
    return _Candidates(kind, image, said, starts, best + 1, product, gained[best], seconds[best])


def _cheapest_first(
    sources: Sequence[_Candidates], at_most: float
) -> Iterator[tuple[_Candidates, int]]:
    """The candidates of all sources whose images cost at most so many seconds each."""
    price = np.concatenate([each.seconds / np.maximum(each.gain, 1e-9) for each in sources])
    source = np.repeat(np.arange(len(sources)), [len(each.start) for each in sources])
    number = np.concatenate([np.arange(len(each.start)) for each in sources])
    surest = np.concatenate([each.image[each.start] for each in sources])
    worth = np.flatnonzero(price <= at_most)
    for place in worth[np.lexsort((surest[worth], source[worth], price[worth]))]:
        yield sources[source[place]], int(number[place])


def _planned(
    candidates: _Candidates,
    number: int,
    outlook: Outlook,
    known: Partition,
    galleries: Mapping[str, Sequence[str]],
    asking: Asking,
) -> Planned:
    """One candidate as a question, with what is expected of it."""
    rows = slice(candidates.start[number], candidates.stop[number])
    images = [outlook.image_ids[place] for place in candidates.image[rows]]
    product = candidates.product[number]
    name = (
        suggested_name(known, outlook.product_ids[product], outlook.locale)
        if product >= 0
        else None
    )
    cluster_id = outlook.cluster_of.get(images[0])
    if candidates.kind == QuestionKind.ATTACH:
        [question] = attach_questions(
            images,
            product_id=outlook.product_ids[product],
            references=galleries[outlook.product_ids[product]][:REFERENCES],
            locale=outlook.locale,
            cluster_id=cluster_id,
            per_sheet=asking.pictures_per_sheet,
            suggestion=name,
        )
    elif candidates.kind == QuestionKind.SPLIT:
        question = split_question(images, locale=outlook.locale, cluster_id=cluster_id)
    else:
        [question] = verify_questions(
            images,
            locale=outlook.locale,
            cluster_id=cluster_id,
            per_sheet=asking.pictures_per_sheet,
            suggestion=name,
        )
    return Planned(
        question,
        tuple(candidates.said[rows].tolist()),
        float(candidates.gain[number]),
        float(candidates.seconds[number]),
    )
