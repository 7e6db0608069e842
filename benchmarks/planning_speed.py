"""How fast the plan follows the answers: a million images, a thousand answers at a time.

    python -m benchmarks.planning_speed

The log is generated: sheets of candidate clusters, some with intruders, half of them named, merges
of look-alikes, and manifests. The answers that arrive are of the same kinds; one in ten takes back
an earlier one. The outlook is on as many other images: four cuts of them, whose memberships are
as often right as they say, and known products that half of the clusters may show. Each way runs in
a process of its own, so that its peak of memory is its own.
"""

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import numpy as np
import typer

from annotation import (
    GALLERY,
    Alike,
    Asking,
    Cut,
    Decided,
    DecisionGraph,
    Effort,
    Outlook,
    Partition,
    Planned,
    Touched,
    doubt_of,
    partition,
    plan,
    undo,
)
from catalog.identity import digest
from catalog.labels import manifest_label, manifest_product
from catalog.schema import Decision, DecisionKind, Question, QuestionKind, VerifiedLabel

RESULT = Path(__file__).parent / "results" / "planning_speed.md"
LOCALES = ("en-US", "de-DE", "sv-SE", "ja-JP", "ar-EG")
INTRUDERS = 0.05
NAMED = 0.5
MERGES = 0.15
LISTED = 0.1
ANSWERS = 1000
UNDONE = 0.1
ALIKE = 0.05
DRAWN = 10_000
CUTS = ((0.06, 0.02), (0.04, 0.05), (0.02, 0.1), (0.0, 0.2))
"""Shares of images that break off from their cluster and that are misplaced, in each cut."""

T = TypeVar("T")


def image_ids(cluster: int) -> list[str]:
    """The images of a candidate cluster: from two to eight, five on average."""
    return [f"{cluster:056x}{place:08x}" for place in range(2 + cluster * 5 % 7)]


def sheet(cluster: int, draw: np.random.Generator) -> Decided:
    images = image_ids(cluster)
    removed = [image for image in images[2:] if draw.random() < INTRUDERS]
    name = f"Product {cluster}" if draw.random() < NAMED else None
    kept = [image for image in images if image not in removed]
    question = _question(cluster, QuestionKind.VERIFY, images, [], draw)
    return _decided(question, [kept], removed, name, draw)


def comparison(cluster: int, draw: np.random.Generator) -> Decided:
    """Whether a cluster and the one before it show the same, mostly not."""
    groups = [image_ids(cluster - 1), image_ids(cluster)]
    question = _question(cluster, QuestionKind.MERGE, groups[1], groups[0], draw)
    return _decided(question, groups, [], None, draw)


def log(n_clusters: int, seed: int = 0) -> Iterator[Decided]:
    draw = np.random.default_rng(seed)
    for cluster in range(n_clusters):
        yield sheet(cluster, draw)
        if cluster and draw.random() < MERGES:
            yield comparison(cluster, draw)


def manifest(n_clusters: int, seed: int = 1) -> Iterator[VerifiedLabel]:
    """Labels of one image each of some clusters."""
    draw = np.random.default_rng(seed)
    for cluster in np.flatnonzero(draw.random(n_clusters) < LISTED).tolist():
        name = f"Listed {cluster}"
        yield manifest_label(
            image_ids(cluster)[0], manifest_product(name), name, LOCALES[cluster % len(LOCALES)]
        )


def answers(n_clusters: int, known: list[Decided], seed: int = 2) -> list[Decided]:
    """New sheets, comparisons of old ones, and a few decisions taken back."""
    draw = np.random.default_rng(seed)
    n_undone = int(UNDONE * ANSWERS)
    undone = [known[place] for place in draw.choice(len(known), n_undone, replace=False)]
    old = draw.choice(np.arange(1, n_clusters), (ANSWERS - n_undone) // 2, replace=False)
    return [
        *(Decided(each.question, undo(each.decision, by="lead", reason="")) for each in undone),
        *(comparison(cluster, draw) for cluster in old.tolist()),
        *(sheet(n_clusters + number, draw) for number in range((ANSWERS - n_undone) // 2)),
    ]


def outlook(n_clusters: int, known: Partition, seed: int = 3) -> Outlook:
    """Other clusters than those that are decided; half of them may show a known product."""
    draw = np.random.default_rng(seed)
    images = [image_ids(n_clusters + cluster) for cluster in range(n_clusters)]
    shows = np.repeat(np.arange(n_clusters), [len(each) for each in images])
    products = sorted(known.images())[: n_clusters // 2]
    likeliest = draw.integers(-len(products), len(products), n_clusters).clip(-1)[shows]
    pairs = draw.choice(len(products), (int(ALIKE * len(products)), 2), replace=False)
    return Outlook(
        LOCALES[0],
        [image for each in images for image in each],
        [_cut(shows, broken, doubt, draw) for broken, doubt in CUTS],
        {},
        products,
        likeliest,
        np.where(likeliest >= 0, draw.beta(2, 2, len(shows)), 0.0),
        [
            Alike(products[first], products[second], float(draw.uniform(0.5, 1)))
            for first, second in pairs.tolist()
        ],
    )


def replies(planned: Sequence[Planned], seed: int = 4) -> list[Decided]:
    """What people say of the first questions of a plan: as often as it expects, what it expects."""
    draw = np.random.default_rng(seed)
    return [_reply(each, draw) for each in planned[:ANSWERS]]


def _reply(each: Planned, draw: np.random.Generator) -> Decided:
    question = each.question
    known = [question.reference_ids] if question.reference_ids else []
    if question.kind == QuestionKind.MERGE:
        return _decided(question, [*known, question.image_ids], [], None, draw)
    belongs = draw.random(len(each.belonging)) < each.belonging
    belongs[0] = True
    kept, removed = (
        [image for image, so in zip(question.image_ids, belongs, strict=True) if so == wanted]
        for wanted in (True, False)
    )
    name = question.suggestion or f"Product {question.id}"
    return _decided(question, [*known, kept], removed, None if known else name, draw)


def _cut(shows: np.ndarray, broken: float, doubt: float, draw: np.random.Generator) -> Cut:
    """Clusters of what images show, some `broken` in two; images are misplaced out of `doubt`."""
    labels = 2 * shows + (draw.random(len(shows)) < broken)
    membership = 1 - draw.beta(1, 1 / doubt - 1, len(shows))
    misplaced = draw.random(len(shows)) > membership
    labels[misplaced] = draw.choice(labels, int(misplaced.sum()))
    return Cut(labels, membership)


def _question(
    cluster: int,
    kind: QuestionKind,
    images: list[str],
    references: list[str],
    draw: np.random.Generator,
) -> Question:
    return Question(
        id=digest(kind, cluster, draw.integers(2**62)),
        kind=kind,
        locale=LOCALES[cluster % len(LOCALES)],
        site="vendor",
        image_ids=images,
        reference_ids=references,
    )


def _decided(
    question: Question,
    groups: list[list[str]],
    removed: list[str],
    name: str | None,
    draw: np.random.Generator,
) -> Decided:
    verify = question.kind == QuestionKind.VERIFY
    same = question.kind != QuestionKind.MERGE or draw.random() < 0.3
    n_places = sum(map(len, groups)) + len(removed)
    decision = Decision(
        id=digest("decision", question.id),
        question_id=question.id,
        supersedes_id=None,
        kind=DecisionKind.SAME if same else DecisionKind.DIFFERENT,
        name=name,
        groups=groups,
        removed_ids=removed,
        memberships=(0.9 + 0.099 * draw.random(n_places)).tolist() if verify else [1.0] * n_places,
        answer_ids=[],
        annotators=["ada"],
        agreement=1.0,
        confidence=float(0.8 + 0.199 * draw.random()),
        seconds=8.0,
    )
    return Decided(question, decision)


class Took(NamedTuple):
    """Seconds that one processor worked, and seconds of the clock."""

    cpu: float
    wall: float

    def __str__(self) -> str:
        return f"{self.cpu:.2f} ({self.wall:.2f})"


def together(*steps: Took) -> Took:
    """What steps took, one after the other."""
    return Took(*map(sum, zip(*steps, strict=True)))


def timed(step: Callable[[], T]) -> tuple[T, Took]:
    cpu, wall = time.process_time(), time.perf_counter()
    found = step()
    return found, Took(time.process_time() - cpu, time.perf_counter() - wall)


def from_scratch(n_clusters: int) -> list[str]:
    """One line of the first table."""
    known, listed = list(log(n_clusters)), list(manifest(n_clusters))
    before = _peak_mb()
    found, built = timed(lambda: partition(known, listed))
    more = _peak_mb() - before
    return [
        f"| from scratch | {len(found.product_of):,} | {len(known):,} | {built} | | | {before:,.0f}"
        f" | {more:,.0f} |"
    ]


def kept_up_to_date(n_clusters: int) -> list[str]:
    """The other line of the first table, and all of the other two."""
    said, listed = list(log(n_clusters)), list(manifest(n_clusters))
    new = answers(n_clusters, said)
    before = _peak_mb()
    graph, built = timed(lambda: DecisionGraph(said, listed))
    touched, learnt = timed(lambda: graph.learn(new))
    known, read = timed(lambda: graph.partition)
    row = (
        f"| kept up to date | {len(known.product_of):,} | {len(said):,} | {built} | {learnt} |"
        f" {read} | {before:,.0f} | {_peak_mb() - before:,.0f} |"
    )
    return [row, _doubts(graph, touched), *_plans(graph, n_clusters, together(built, read))]


def _doubts(graph: DecisionGraph, touched: Touched) -> str:
    """One line on the doubts of the products that answers touched, and of as many as are drawn."""
    products = sorted(set(graph.product_of.values()))
    again = sorted(touched.products.intersection(products))
    drawn = np.random.default_rng(5).choice(products, min(DRAWN, len(products)), replace=False)
    _, anew = timed(lambda: [doubt_of(graph, product) for product in again])
    before = _peak_mb()
    kept, took = timed(lambda: [doubt_of(graph, product) for product in drawn.tolist()])
    each = (_peak_mb() - before) / len(kept) * 1000
    return f"| {len(products):,} | {len(again):,} | {anew} | {len(kept):,} | {took} | {each:.1f} |"


def _plans(graph: DecisionGraph, n_clusters: int, known: Took) -> Iterator[str]:
    """A line for each share of the images that may stand open, after what is `known` was read."""
    ahead = outlook(n_clusters, graph.partition)
    galleries = {product: images[:GALLERY] for product, images in graph.partition.images().items()}

    def planned(standing: Sequence[Question], asking: Asking) -> list[Planned]:
        return plan(ahead, graph.partition, galleries, standing, asking, Effort())

    for share in (0.25, 1.0):
        asking = Asking(open_share=share)
        first, once = timed(partial(planned, [], asking))
        said = replies(first)
        standing = [each.question for each in first[ANSWERS:]]
        _, learnt = timed(partial(graph.learn, said))
        then, again = timed(partial(planned, standing, asking))
        yield (
            f"| {share:.0%} | {len(first):,} | {sum(len(e.question.image_ids) for e in first):,} |"
            f" {once} | {together(known, once)} | {learnt} | {again} | {together(learnt, again)} |"
            f" {len(then):,} | {_peak_mb():,.0f} |"
        )


def main(
    clusters: Annotated[int, typer.Option(help="Candidate clusters that are decided.")] = 200_000,
) -> None:
    """Measure both ways and write the page."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        built = [pool.apply(way, (clusters,)) for way in (from_scratch, kept_up_to_date)]
    [[scratch], [kept, doubts, *plans]] = built
    page = "\n".join(
        [
            "# The speed of planning",
            "",
            f"`python -m benchmarks.planning_speed` on {os.cpu_count()} cores, of which it uses one"
            " and shares both with other programs: CPU seconds count, those of the clock are in"
            f" brackets. {clusters:,} candidate clusters are decided, then {ANSWERS:,} answers"
            " arrive. *From scratch* is `annotation.partition`, *kept up to date* a"
            " `DecisionGraph`; *read* hands out its partition. The log is what the process has"
            " taken with the rows of the catalogue; *more* is the most that came on top.",
            "",
            "| way | images | decisions | build, s | learn, s | read, s | log, MB | more, MB |",
            "|---|---|---|---|---|---|---|---|",
            scratch,
            kept,
            "",
            "Then a plan for as many other images, in four cuts, from nothing that stands open;"
            f" {ANSWERS:,} of its questions are answered, and what is to be asked besides those"
            " that still stand open is planned again, which reads the partition as well. *Peak*"
            " is that of the process: the log, the outlook and all questions are in it. The goal is"
            " a plan within 60 s *with build and read*, an update within 2 s (*both*), and 4 GiB.",
            "",
            "| may stand open | questions | their images | plan, s | with build and read, s |"
            " learn, s | plan again, s | both, s | new questions | peak, MB |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *plans,
            "",
            f"How sure products are (`annotation.doubt_of`): those that the {ANSWERS:,} answers"
            " touched, and some that are drawn from all.",
            "",
            "| products | touched | those, s | drawn | those, s | MB for 1,000 |",
            "|---|---|---|---|---|---|",
            doubts,
            "",
        ]
    )
    RESULT.write_text(page, encoding="utf-8")
    print(page)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    typer.run(main)
