"""The learning curve: what each round of the loop makes of products that nothing has learnt yet.

    python -m benchmarks.learning_curve DATA --out benchmarks/results/learning_curve.md

Some products are labelled; the others arrive unlabelled, a few in each round, and a simulated
annotator answers. Everything runs as in the loop (ingest, cluster, ask, decide, gate, training set,
retrain, compare) but for Label Studio: answers are given to its questions directly. Candidate
clusters are scored before anything of them is learnt. The products of the last round are also
clustered by the champion of every round, and the holdout by the model of every training set,
promoted or not. At the end a challenger that was trained for one epoch meets the last champion.
"""

import csv
import datetime as dt
import json
import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from annotation import Annotation, SimulatedAnnotator, Submission, result
from benchmarks.domains import ALPHABETS, Pictures, glyphs, products
from catalog import clusters, content_digest, decisions, digest, labels, models
from catalog.schema import Desk, Model, Question, SiteProject
from clustering import bcubed_f, pairwise_f

SITE = "local"
LOCALE = {"grocery": "sv-SE", "omniglot": "en-US"}
LABELLED = {"grocery": 20, "omniglot": 61}
IMAGES = {"grocery": 20, "omniglot": 10}
"""At most so many of a product."""

SLIPS = 0.02
TURNS = 3


@dataclass(frozen=True)
class Learnt:
    """A model: what it was trained on, and how its clusters of the holdout are."""

    images: int
    products: int
    bcubed_f: float
    pairwise_f: float

    @classmethod
    def of(cls, challenger: Model) -> "Learnt":
        from tasks.settings import load_settings

        with load_settings().catalog.begin() as transaction:
            version = models.training_set_of(transaction, challenger)
        figures = challenger.metrics
        return cls(version.n_images, version.n_products, figures["bcubed_f"], figures["pairwise_f"])


Truth = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Turned:
    """One round: what it learnt from, how its clusters were, and what people had to do."""

    round: int
    learnt_images: int
    learnt_products: int
    images: int
    bcubed_f: float
    pairwise_f: float
    last_bcubed_f: float
    questions: int
    seconds: float
    verified: int
    wrong: int
    made: Learnt
    outcome: str
    reason: str


def main(
    data: Annotated[Path, typer.Argument(help="The folder that holds grocery/ and omniglot/.")],
    out: Annotated[Path | None, typer.Option(help="Write the page to this file, too.")] = None,
    kind: Annotated[list[str], typer.Option(help="grocery, omniglot.")] = ["grocery", "omniglot"],  # noqa: B006
    rounds: Annotated[int, typer.Option(help="Rounds after the first model.")] = 6,
    image_size: Annotated[int, typer.Option(help="Pixels that the encoder sees.")] = 32,
    epochs: Annotated[int, typer.Option(help="Of the encoder.")] = 24,
) -> None:
    from prefect.testing.utilities import prefect_test_harness

    pages = []
    with prefect_test_harness(server_startup_timeout=120):
        for each in kind:
            with TemporaryDirectory() as scratch:
                os.environ |= {
                    "GROUNDTRUTH_DATA": scratch,
                    "GROUNDTRUTH_INGEST__SOURCES": json.dumps([str(data.resolve())]),
                    "GROUNDTRUTH_ENCODER__IMAGE_SIZE": str(image_size),
                    "GROUNDTRUTH_ENCODER__EPOCHS": str(epochs),
                    "GROUNDTRUTH_RETRAIN__HOLDOUT_SHARE": "0.35",
                }
                start = time.perf_counter()
                first, turned, weak = _loop(_pictures(data, each), each, rounds, Path(scratch))
                minutes = (time.perf_counter() - start) / 60
                pages.append(_page(each, first, turned, weak, image_size, epochs, minutes))
                if out is not None:
                    _plot(first, turned, out.with_name(f"{out.stem}_{each}.png"))
                    pages.append(f"![{each}]({out.stem}_{each}.png)\n")
                    out.write_text("\n".join(["# The learning curve\n", *pages]))
    print("\n".join(pages))


def _pictures(data: Path, kind: str) -> Pictures:
    """The first images of every product."""
    every = products(data, "Fruit", "Packages") if kind == "grocery" else glyphs(data, *ALPHABETS)
    seen: dict[str, int] = defaultdict(int)
    kept = []
    for path, name in every:
        seen[name] += 1
        if seen[name] <= IMAGES[kind]:
            kept.append((path, name))
    return kept


def _groups(data_pictures: Pictures, kind: str, table: Path) -> dict[str, str]:
    """What must arrive together: variants of one kind of grocery, or a character by itself."""
    if kind == "omniglot":
        return {name: name for _, name in data_pictures}
    with table.open(newline="") as file:
        return {row["product"]: row["group"] for row in csv.DictReader(file)}


def _deal(pictures: Pictures, kind: str, rounds: int) -> list[Pictures]:
    """The labelled pictures, then those of each round; no group is in two of them."""
    table = pictures[0][0].parents[1] / "truth.csv"
    group_of = _groups(pictures, kind, table)
    members: dict[str, list[str]] = defaultdict(list)
    for name in sorted({name for _, name in pictures}):
        members[group_of[name]].append(name)
    order = sorted(members, key=lambda group: digest("learning curve", group))
    parts: list[list[str]] = [[] for _ in range(rounds + 1)]
    for group in order:
        if len(parts[0]) < LABELLED[kind]:
            parts[0] += members[group]
        else:
            min(parts[1:], key=len).extend(members[group])
    return [[each for each in pictures if each[1] in set(part)] for part in parts]


def _loop(
    pictures: Pictures, kind: str, rounds: int, scratch: Path
) -> tuple[Learnt, list[Turned], tuple[str, str]]:
    from pydantic import AnyHttpUrl, SecretStr

    from flows.cluster import cluster
    from flows.ingest import ingest
    from flows.retrain import retrain
    from tasks.models import load
    from tasks.settings import load_settings
    from tasks.sites import LabelStudioSite

    load_settings.cache_clear()
    load.cache_clear()
    settings = load_settings()
    nowhere = LabelStudioSite(url=AnyHttpUrl("http://127.0.0.1:9"), api_key=SecretStr("none"))
    nowhere.save(SITE, overwrite=True)
    truth = {content_digest(path.read_bytes()): (name, _named(name)) for path, name in pictures}
    first, *later = _deal(pictures, kind, rounds)
    ingest(_manifest(scratch / "labelled.csv", first, LOCALE[kind], labelled=True))
    _learn_from_answers(truth)
    made_first = Learnt.of(retrain().challenger)
    turned: list[Turned] = []
    for number, new in enumerate(later, start=1):
        source = _manifest(scratch / f"{number}.csv", new, LOCALE[kind], labelled=False)
        ingest(source)
        [partition] = cluster()
        with settings.catalog.begin() as transaction:
            found = clusters.cluster_of_images(transaction, partition.id)
            champion = models.champion(transaction)
            assert champion is not None
            learnt = models.training_set_of(transaction, champion)
        of_round = {content_digest(path.read_bytes()) for path, _ in new}
        scored = sorted(image for image in found if image in of_round)
        expected = [truth[image][0] for image in scored]
        formed = [found[image] for image in scored]
        last = _by_model(champion.location, later[-1])
        questions, seconds = _learn_from_answers(truth)
        with settings.catalog.begin() as transaction:
            named = [row for row in labels.accepted(transaction) if row.image_id in of_round]
        comparison = retrain()
        turned.append(
            Turned(
                number,
                learnt.n_images,
                learnt.n_products,
                len(scored),
                bcubed_f(expected, formed),
                pairwise_f(expected, formed),
                bcubed_f(*last),
                questions,
                seconds,
                len(named),
                _wrong(named, truth),
                Learnt.of(comparison.challenger),
                comparison.outcome,
                comparison.promotion.reason,
            )
        )
        print(turned[-1], flush=True)
    os.environ["GROUNDTRUTH_ENCODER__EPOCHS"] = "1"
    load_settings.cache_clear()
    weak = retrain()
    return made_first, turned, (weak.outcome, weak.promotion.reason)


def _learn_from_answers(truth: Truth) -> tuple[int, float]:
    """Ask, answer and decide until nothing follows; how many questions, in how many seconds."""
    from tasks.ask import ask
    from tasks.collect import answered, commit_training_set, decide, relabel
    from tasks.judge import judge
    from tasks.rounds import has_champion
    from tasks.settings import load_settings

    catalog = load_settings().catalog
    n_questions, total = 0, 0.0
    for _ in range(TURNS if has_champion() else 1):
        if has_champion():
            ask.fn()
        with catalog.begin() as transaction:
            asked = [
                question
                for queue in decisions.queues_to_push(transaction, SITE)
                for question in decisions.to_push(transaction, SITE, *queue)
            ]
            known = decisions.answers_to(transaction, [question.id for question in asked])
        for question in asked:
            if question.id not in known:
                total += _answer(question, truth)
                n_questions += question.expected is None
        for locale, kind in answered.fn():
            decide.fn(locale, kind)
        relabel.fn()
        judge.fn()
        commit_training_set.fn()
    return n_questions, total


def _answer(question: Question, truth: Truth) -> float:
    """Have a simulated annotator answer; in how many seconds."""
    from tasks.collect import record_answers
    from tasks.settings import load_settings

    annotator = SimulatedAnnotator(
        site=None,  # type: ignore[arg-type]  # what it says is handed on here
        truth=truth,
        error_rate=SLIPS,
    )
    said, seconds = annotator.opinion(question)
    now = dt.datetime.now(dt.UTC)
    given = Annotation(
        id=1,
        annotator="simulated@example.com",
        result=result(**said),
        cancelled=False,
        seconds=seconds,
        updated_at=now,
    )
    submission = Submission(
        question_id=question.id, task_id=1, overlap=1, annotations=(given,), updated_at=now
    )
    project = SiteProject(
        site=SITE, locale=question.locale, kind=question.kind, desk=Desk.CROWD, project_id=1
    )
    with load_settings().catalog.begin() as transaction:
        read = record_answers(transaction, project, [submission])
    assert not read.invalid, read.invalid
    return seconds


def _by_model(location: str, pictures: Pictures) -> tuple[Sequence[str], Sequence[int]]:
    """The truth of `pictures`, and the clusters that a model forms of them."""
    from benchmarks.domains import read_pictures
    from tasks.models import load

    encoder, lander = load(location)
    seen, classes = read_pictures(pictures)
    return classes, lander.predict(encoder.transform(seen))


def _wrong(named: Sequence[labels.LabelRow], truth: Truth) -> int:
    """Labels whose product is not what most images of that label's product show."""
    shown: dict[str | None, list[str]] = defaultdict(list)
    for row in named:
        shown[row.product_id].append(truth[row.image_id][0])
    return sum(len(each) - max(map(each.count, set(each))) for each in shown.values())


def _named(name: str) -> str:
    return name.replace("/", " ").replace("_", " ")


def _manifest(path: Path, pictures: Pictures, locale: str, *, labelled: bool) -> str:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["uri", "locale", "product"][: 3 if labelled else 2])
        for picture, name in pictures:
            row = [str(picture.resolve()), locale, _named(name)]
            writer.writerow(row[: 3 if labelled else 2])
    return str(path)


def _page(
    kind: str,
    first: Learnt,
    turned: Sequence[Turned],
    weak: tuple[str, str],
    image_size: int,
    epochs: int,
    minutes: float,
) -> str:
    lines = [
        f"## {kind}",
        "",
        f"At most {IMAGES[kind]} images of a product, {image_size} px, {epochs} epochs, slips of"
        f" {SLIPS:.0%} per picture; {minutes:.0f} minutes. F-scores are of candidate clusters of"
        " products that the model had never seen: those of the round, and those of the last round"
        " by the same model.",
        "",
        "| round | learnt from | products | new images | BCubed F | pairwise F | BCubed F of the"
        " last round's | questions | human seconds | verified | wrong | questions per verified"
        " image | seconds per verified image |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {t.round} | {t.learnt_images} | {t.learnt_products} | {t.images} | {t.bcubed_f:.3f} |"
        f" {t.pairwise_f:.3f} | {t.last_bcubed_f:.3f} | {t.questions} | {t.seconds:.0f} |"
        f" {t.verified} | {t.wrong} | {t.questions / max(t.verified, 1):.3f} |"
        f" {t.seconds / max(t.verified, 1):.2f} |"
        for t in turned
    ]
    lines += [
        "",
        "The model of every training set, on the holdout as it was then, which none has seen:",
        "",
        "| trained on | products | BCubed F | pairwise F | became | reason |",
        "|---|---|---|---|---|---|",
        f"{_learnt(first)} champion | the first model |",
    ]
    lines += [f"{_learnt(t.made)} {t.outcome} | {t.reason} |" for t in turned]
    lines += [f"| the last, for one epoch only | | | | {weak[0]} | {weak[1]} |", ""]
    return "\n".join(lines)


def _learnt(made: Learnt) -> str:
    return f"| {made.images} | {made.products} | {made.bcubed_f:.3f} | {made.pairwise_f:.3f} |"


def _plot(first: Learnt, turned: Sequence[Turned], path: Path) -> None:
    from matplotlib.figure import Figure

    left, right = Figure(figsize=(9, 3.6), layout="constrained").subplots(1, 2)
    learnt = [t.learnt_images for t in turned]
    made = [first, *(t.made for t in turned)]
    left.plot([m.images for m in made], [m.bcubed_f for m in made], "^-", label="of the holdout")
    left.scatter(learnt, [t.bcubed_f for t in turned], c="C1", label="of the round, by champion")
    left.set(xlabel="images learnt from", ylabel="BCubed F of candidate clusters", ylim=(0, 1))
    left.legend(frameon=False)
    asked = [t.questions / max(t.verified, 1) for t in turned]
    right.plot([t.round for t in turned], asked, "o-", color="C2")
    right.set(xlabel="round", ylabel="questions per verified image")
    right.set_ylim(bottom=0)
    left.figure.savefig(path, dpi=110)


if __name__ == "__main__":
    typer.run(main)
