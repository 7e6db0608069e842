"""How fast the plan follows the answers: a million images, a thousand answers at a time.

    python -m benchmarks.planning_speed

The log is generated: sheets of candidate clusters, some with intruders, half of them named, merges
of look-alikes, and manifests. The answers that arrive are of the same kinds; one in ten takes back
an earlier one. Each way runs in a process of its own, so that its peak of memory is its own.
"""

import multiprocessing
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from annotation import Decided, DecisionGraph, partition, undo
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


def image_ids(cluster: int) -> list[str]:
    """The images of a candidate cluster: from two to eight, five on average."""
    return [f"{cluster:056x}{place:08x}" for place in range(2 + cluster * 5 % 7)]


def sheet(cluster: int, draw: np.random.Generator) -> Decided:
    images = image_ids(cluster)
    removed = [image for image in images[2:] if draw.random() < INTRUDERS]
    name = f"Product {cluster}" if draw.random() < NAMED else None
    kept = [image for image in images if image not in removed]
    return _decided(cluster, QuestionKind.VERIFY, [kept], removed, name, draw)


def comparison(cluster: int, draw: np.random.Generator) -> Decided:
    """Whether a cluster and the one before it show the same, mostly not."""
    groups = [image_ids(cluster - 1), image_ids(cluster)]
    return _decided(cluster, QuestionKind.MERGE, groups, [], None, draw)


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


def _decided(
    cluster: int,
    kind: QuestionKind,
    groups: list[list[str]],
    removed: list[str],
    name: str | None,
    draw: np.random.Generator,
) -> Decided:
    identity = digest(kind, cluster, draw.integers(2**62))
    verify = kind == QuestionKind.VERIFY
    same = verify or draw.random() < 0.3
    n_places = sum(map(len, groups)) + len(removed)
    question = Question(
        id=identity,
        kind=kind,
        locale=LOCALES[cluster % len(LOCALES)],
        site="vendor",
        image_ids=[*groups[-1], *removed],
        reference_ids=[] if verify else groups[0],
    )
    decision = Decision(
        id=digest("decision", identity),
        question_id=identity,
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


def measure(task: tuple[str, int]) -> str:
    """One line of the table."""
    way, n_clusters = task
    known, listed = list(log(n_clusters)), list(manifest(n_clusters))
    new = answers(n_clusters, known)
    before = _peak_mb()
    start = time.process_time()
    if way == "from scratch":
        found = partition(known, listed)
        built, learnt, read = time.process_time() - start, "", ""
    else:
        graph = DecisionGraph(known, listed)
        built = time.process_time() - start
        start = time.process_time()
        graph.learn(new)
        learnt = f"{time.process_time() - start:.2f}"
        start = time.process_time()
        found = graph.partition
        read = f"{time.process_time() - start:.2f}"
    return (
        f"| {way} | {len(found.product_of):,} | {len(known):,} | {built:.1f} | {learnt} | {read} |"
        f" {before:,.0f} | {_peak_mb() - before:,.0f} |"
    )


def main(
    clusters: Annotated[int, typer.Option(help="Candidate clusters that are decided.")] = 200_000,
) -> None:
    """Measure both ways and write the page."""
    ways = [("from scratch", clusters), ("kept up to date", clusters)]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        rows = list(pool.imap(measure, ways, chunksize=1))
    page = "\n".join(
        [
            "# The speed of planning",
            "",
            f"`python -m benchmarks.planning_speed` on {os.cpu_count()} cores, one of which it"
            f" uses; CPU seconds. {clusters:,} candidate clusters are decided, then {ANSWERS:,}"
            " answers arrive. *From scratch* is `annotation.partition`, *kept up to date* a"
            " `DecisionGraph`; *read* hands out its partition. The log is what the rows of the"
            " catalogue take; *more* is the most that came on top.",
            "",
            "| way | images | decisions | build, s | learn, s | read, s | log, MB | more, MB |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
    RESULT.write_text(page, encoding="utf-8")
    print(page)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    typer.run(main)
