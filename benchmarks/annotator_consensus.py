"""Three annotators per locale, one of them poor, two vendors: is consensus better than the best?

    GROUNDTRUTH_SETTINGS=benchmarks/two_vendors.toml groundtruth up
    GROUNDTRUTH_SETTINGS=benchmarks/two_vendors.toml python -m benchmarks.annotator_consensus \
        path/to/grocery --out benchmarks/results/annotator_consensus.md

The Grocery Store photos are dealt to three locales, so every product is sold in all of them. Fruit
is labelled, packages are new; simulated annotators answer through two Label Studios. What each of
them said of each picture, and what was decided of it, is compared with the truth.
"""

import csv
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from annotation import GALLERY, Votes, current_answers, merge_question, result, rule
from annotation.consensus import speaks_of_pictures, ticked
from catalog import content_digest, decisions, labels
from catalog.schema import Answer, Decision, DecisionKind, Desk, Question, QuestionKind, Verdict
from deployments.orchestration import prefect_server
from flows.annotate import annotate
from flows.collect import collect
from flows.undo import undo
from tasks.annotators import annotators_page
from tasks.collect import products_now
from tasks.knowledge import knowledge
from tasks.settings import load_settings
from tasks.sites import open_site, simulated_site, site_of, sites_for

LOCALES = ("sv-SE", "de-DE", "en-US")
LABELLED_DEPARTMENT = "Fruit"
SLIPS = (0.02, 0.04, 0.25)
TICKED = (QuestionKind.VERIFY, QuestionKind.ATTACH)


def main(
    data: Annotated[Path, typer.Argument(help="The folder that holds images/ and truth.csv.")],
    out: Annotated[Path | None, typer.Option(help="Write the page to this file, too.")] = None,
) -> None:
    os.environ["GROUNDTRUTH_INGEST__SOURCES"] = json.dumps([str(data.resolve())])
    manifests = load_settings().data / "grocery"
    manifests.mkdir(parents=True, exist_ok=True)
    photos = list(csv.DictReader((data / "truth.csv").open()))
    labelled = [photo for photo in photos if photo["department"] == LABELLED_DEPARTMENT]
    new = [photo for photo in photos if photo["department"] != LABELLED_DEPARTMENT]
    _write(manifests / "labelled.csv", data, labelled, ("uri", "locale", "product"))
    _write(manifests / "new.csv", data, new, ("uri", "locale"))
    _write(manifests / "truth.csv", data, photos, ("uri", "locale", "product", "identity"))
    subprocess.run(
        [
            *(sys.executable, "-m", "deployments", "run", str(manifests / "new.csv")),
            *("--labelled", str(manifests / "labelled.csv")),
            *("--truth", str(manifests / "truth.csv")),
            *(argument for rate in SLIPS for argument in ("--error-rate", str(rate))),
        ],
        check=True,
    )
    truth = {
        content_digest((data / photo["file"]).read_bytes()): photo["product"] for photo in photos
    }
    with prefect_server(load_settings()):
        page = "\n".join([_page(truth), *_wrong_merge()])
    print(page)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page)


def _write(
    path: Path, data: Path, photos: Iterable[Mapping[str, str]], columns: Sequence[str]
) -> None:
    """Deal the photos of each product to the locales in turn."""
    dealt: Counter[str] = Counter()
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for photo in photos:
            row = {
                "uri": str((data / photo["file"]).resolve()),
                "locale": LOCALES[dealt[photo["product"]] % len(LOCALES)],
                "product": photo["product"],
                "identity": photo["product"],
            }
            dealt[photo["product"]] += 1
            writer.writerow({column: row[column] for column in columns})


def _page(truth: Mapping[str, str]) -> str:
    with load_settings().catalog.begin() as transaction:
        log = decisions.decided(transaction)
        answers = decisions.every_answer(transaction)
        questions = decisions.questions(transaction, list(answers))
        known = knowledge(transaction)
        sites = Counter((question.site, question.locale) for question in questions.values())
    decided = {question.id: decision for question, decision in log}
    lines = [
        "# Three annotators per locale, one of them poor",
        "",
        f"Slips per picture: {', '.join(f'{rate:.0%}' for rate in SLIPS)}. A picture counts as"
        " wrong where it was ticked though it shows the product of its sheet, or not ticked though"
        " it does not.",
        "",
        "| locale | annotator | pictures judged | wrong |",
        "|---|---|---|---|",
    ]
    for locale in LOCALES:
        asked = [
            question
            for question in questions.values()
            if question.locale == locale and question.kind in TICKED and question.expected is None
        ]
        gold = [q for q in questions.values() if q.locale == locale and q.expected is not None]
        for name, (n, n_wrong) in sorted(_each(asked, answers, truth).items()):
            lines.append(f"| {locale} | {name} | {n} | {n_wrong / n:.2%} |")
        for name, said in (
            ("majority of the three", _crowd_alone(asked, answers, gold, "majority")),
            ("**consensus of the three**", _crowd_alone(asked, answers, gold, "dawid-skene")),
            ("decided, with the lead where they could not", decided),
        ):
            n, n_wrong = _together(asked, said, truth)
            lines.append(f"| {locale} | {name} | {n} | {n_wrong / n:.2%} |")
    several = [
        images
        for images in known.images().values()
        if len({truth[image] for image in images if image in truth}) > 1
    ]
    n_locales = Counter(product for product, _ in known.names)
    kinds = Counter((question.kind, decision.kind) for question, decision in log)
    lines += [
        "",
        "Questions by site and locale: "
        + ", ".join(f"{site} {locale} {n}" for (site, locale), n in sorted(sites.items()))
        + ".",
        "",
        "Decisions: "
        + ", ".join(f"{kind} {said} {n}" for (kind, said), n in sorted(kinds.items()))
        + ".",
        "",
        f"{len(known.images())} products follow from them, {len(several)} of which hold pictures of"
        f" more than one true product; {sum(n > 1 for n in n_locales.values())} have a name in"
        f" more than one locale. {len(known.contradictions)} contradictions stand.",
        "",
        *(f"{section}\n" for section in annotators_page()),
    ]
    return "\n".join(lines)


def _each(
    asked: Sequence[Question], answers: Mapping[str, Sequence[Answer]], truth: Mapping[str, str]
) -> dict[str, tuple[int, int]]:
    """How many pictures each annotator judged, and how many of those wrongly."""
    found: dict[str, list[bool]] = defaultdict(list)
    for question in asked:
        intruders = _intruders(question, truth)
        for answer in current_answers(
            [each for each in answers[question.id] if each.desk == Desk.CROWD]
        ):
            if speaks_of_pictures(answer):
                out = ticked(question, answer)
                found[answer.annotator] += [
                    (image in out) != (image in intruders) for image in question.image_ids
                ]
    return {name: (len(wrong), sum(wrong)) for name, wrong in found.items()}


def _crowd_alone(
    asked: Sequence[Question],
    answers: Mapping[str, Sequence[Answer]],
    gold: Sequence[Question],
    method: str,
) -> dict[str, Decision]:
    """What the annotators decide without the lead."""
    crowd = {
        question.id: [answer for answer in answers[question.id] if answer.desk == Desk.CROWD]
        for question in (*asked, *gold)
    }
    return {
        question_id: ruling.decision
        for kind in TICKED
        for question_id, ruling in rule(
            [question for question in (*asked, *gold) if question.kind == kind],
            crowd,
            {},
            Votes(),
            method=method,
        ).items()
        if ruling.decision is not None
    }


def _wrong_merge() -> list[str]:
    """Have everybody call two products the same, and undo it: images before, between and after."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        shown = labels.galleries(transaction, GALLERY, LOCALES[0])
        first, second = sorted(shown, key=lambda product: (-len(shown[product]), product))[:2]
        question = merge_question(
            shown[first], shown[second], about=[first, second], locale=LOCALES[0]
        )
        question.site = site_of(question.locale, question.id, sites_for(settings))
        decisions.add_questions(transaction, [question])
    states = [products_now()]
    annotate()
    with settings.catalog.begin() as transaction:
        task_id = decisions.tasks_at(transaction, Desk.CROWD, [question.id])[question.id].task_id
    for number in range(len(SLIPS)):
        site = open_site(simulated_site(question.site, number + 1))
        site.annotate(task_id, result(QuestionKind.MERGE, Verdict.CONFIRM), seconds=5)
    collect()
    states.append(products_now())
    with settings.catalog.begin() as transaction:
        [decision] = decisions.current_decisions(transaction, question_ids=[question.id])
    undo(decision.id, "the benchmark", "they are two products")
    states.append(products_now())
    before, between, after = states
    changed = sorted({p for p in {*before, *between} if before.get(p) != between.get(p)})
    return [
        "## A wrong merge, and its undoing",
        "",
        "| product | images before | after the merge | after the undo |",
        "|---|---|---|---|",
        *(
            f"| {p} | {before.get(p, 0)} | {between.get(p, 0)} | {after.get(p, 0)} |"
            for p in changed
        ),
        "",
        f"The other {len({*before} - {*changed})} products are as they were;"
        f" after the undo {'all' if before == after else 'not all'} are as before.",
        "",
    ]


def _together(
    asked: Sequence[Question], decided: Mapping[str, Decision], truth: Mapping[str, str]
) -> tuple[int, int]:
    wrong = [
        (image in decided[question.id].removed_ids) != (image in _intruders(question, truth))
        for question in asked
        if question.id in decided
        and (decided[question.id].kind == DecisionKind.SAME or question.kind == QuestionKind.ATTACH)
        for image in question.image_ids
    ]
    return len(wrong), sum(wrong)


def _intruders(question: Question, truth: Mapping[str, str]) -> set[str]:
    """The images that do not show the product that the question is about."""
    shown = question.reference_ids or question.image_ids
    [(product, _)] = Counter(truth[image] for image in shown).most_common(1)
    return {image for image in question.image_ids if truth[image] != product}


if __name__ == "__main__":
    typer.run(main)
