"""What is learnt answer by answer is what follows from the whole log."""

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import Decided, DecisionGraph, partition
from annotation.decisions import undo
from catalog.schema import Decision, DecisionKind, QuestionKind, VerifiedLabel
from tests.annotation.test_partition import (
    DOUBTFUL,
    SURE,
    decided,
    letters,
    listed,
    merged,
    verified,
)


def standing(seen: Sequence[Decided]) -> list[Decided]:
    """The decisions that no other one that was seen supersedes."""
    superseded = {each.decision.supersedes_id for each in seen}
    return [
        each
        for each in {each.decision.id: each for each in seen}.values()
        if each.decision.id not in superseded
    ]


def revised(before: Decided, after: Decided) -> Decided:
    """A decision on the question of `before` that says what `after` does, and supersedes it."""
    content = {
        column: getattr(after.decision, column)
        for column in Decision.__table__.columns.keys()  # noqa: SIM118
    }
    follows = {"question_id": before.question.id, "supersedes_id": before.decision.id}
    return Decided(before.question, Decision(**content | follows))


@st.composite
def said(draw: st.DrawFn, number: int) -> Decided:
    """A decision of any kind about some of ten images."""
    images = draw(st.lists(st.sampled_from(letters), min_size=2, max_size=6, unique=True))
    cut = draw(st.integers(1, len(images) - 1))
    first, second = "".join(images[:cut]), "".join(images[cut:])
    more = {
        "posterior": draw(st.sampled_from([DOUBTFUL, 0.8, SURE, 0.9999])),
        "name": draw(st.sampled_from([None, None, "Tee", "Kaffee"])),
        "locale": draw(st.sampled_from(["de-DE", "sv-SE"])),
    }
    match draw(st.sampled_from(["verify", "attach", "merge", "differ", "split", "unusable"])):
        case "verify":
            return verified(number, first, second, **more)
        case "attach":
            groups, removed = [first, second[:1]], second[1:]
            kind = (QuestionKind.ATTACH, DecisionKind.SAME)
            return decided(number, *kind, groups, removed, references=first, **more)
        case "merge":
            return merged(number, first, second, **more)
        case "differ":
            return merged(number, first, second, DecisionKind.DIFFERENT, **more)
        case "split":
            kind = (QuestionKind.SPLIT, DecisionKind.DIFFERENT)
            return decided(number, *kind, [first, second[:2]], second[2:], **more)
        case _:
            return decided(number, QuestionKind.VERIFY, DecisionKind.UNUSABLE, [], first, **more)


@st.composite
def logs(draw: st.DrawFn) -> list[Decided]:
    """Everything ever decided about some questions, in any order, some of it several times."""
    log: list[Decided] = []
    for number in range(draw(st.integers(1, 8))):
        each = draw(said(number))
        log.append(each)
        for revision in range(draw(st.integers(0, 2))):
            each = revised(each, draw(said(100 * (revision + 1) + number)))
            log.append(each)
        if draw(st.booleans()) and draw(st.booleans()):
            log.append(Decided(each.question, undo(each.decision, by="lead", reason="looked")))
    log += draw(st.lists(st.sampled_from(log), max_size=3))
    return draw(st.permutations(log))


manifests = st.lists(
    st.tuples(
        st.sampled_from(letters),
        st.sampled_from(["Tee", "Saft"]),
        st.sampled_from(["de-DE", "sv-SE"]),
    ),
    max_size=5,
    unique_by=lambda row: row[:2],
)


def labels(rows: list[tuple[str, str, str]]) -> list[VerifiedLabel]:
    return [label for image, product, locale in rows for label in listed(image, product, locale)]


@given(logs(), manifests, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_whatever_arrives_in_whatever_order_the_partition_is_that_of_what_stands(
    log: list[Decided], rows: list[tuple[str, str, str]], random: Random
) -> None:
    manifest = labels(rows)
    start = random.randint(0, len(log))
    graph = DecisionGraph(log[:start], manifest)
    seen = start
    assert graph.partition == partition(standing(log[:seen]), manifest)
    while seen < len(log):
        batch = random.randint(1, 4)
        before = graph.partition
        touched = graph.learn(log[seen : seen + batch])
        seen += batch
        after = graph.partition
        assert after == partition(standing(log[:seen]), manifest)
        moved = {
            image
            for image in letters
            if before.product_of.get(image) != after.product_of.get(image)
        }
        assert touched.images == moved
        assert touched.apart == before.apart ^ after.apart
        assert touched.products >= {
            product for (product, _), _ in before.names.items() ^ after.names.items()
        }
