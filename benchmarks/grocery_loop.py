"""Two rounds of the whole loop over the Grocery Store photos: fruit is labelled, packages are new.

    python benchmarks/grocery_loop.py path/to/grocery --out benchmarks/results/grocery_loop.md

The packaged goods of one half of the products arrive in the first round, those of the other half in
the second, and simulated annotators answer. Class-disjoint throughout: what a round's clusters are
measured on, its model has never seen. The last round's images are also clustered by every earlier
model, promoted or not, so that models are compared on the same images. Needs running servers
(`groundtruth up`) and a data directory without earlier rounds.
"""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from catalog import clusters, digest, models
from catalog.previews import Previews
from catalog.schema import Model
from catalog.summary import summarise
from clustering import bcubed_f, nmi, pairwise
from tasks.models import load
from tasks.scoring import score_rounds
from tasks.settings import load_settings
from tasks.simulate import read_truth

LOCALE = "sv-SE"
LABELLED_DEPARTMENT = "Fruit"


def main(
    data: Annotated[Path, typer.Argument(help="The folder that holds images/ and truth.csv.")],
    out: Annotated[Path | None, typer.Option(help="Write the table to this file, too.")] = None,
    error_rate: Annotated[float, typer.Option(help="Slips of the simulated annotators.")] = 0.02,
) -> None:
    os.environ["GROUNDTRUTH_INGEST__SOURCES"] = json.dumps([str(data.resolve())])
    manifests = load_settings().data / "grocery"
    manifests.mkdir(parents=True, exist_ok=True)
    photos = list(csv.DictReader((data / "truth.csv").open()))
    labelled = [photo for photo in photos if photo["department"] == LABELLED_DEPARTMENT]
    new = [photo for photo in photos if photo["department"] != LABELLED_DEPARTMENT]
    halves = _halves(new)
    _write(manifests / "labelled.csv", data, labelled)
    _write(manifests / "truth.csv", data, new)
    for number, half in enumerate(halves, start=1):
        _write(manifests / f"round-{number}.csv", data, half, labelled=False)
        arguments = ["--labelled", str(manifests / "labelled.csv")] if number == 1 else []
        command = [sys.executable, "-m", "deployments", "run"]
        source = str(manifests / f"round-{number}.csv")
        simulated = ["--truth", str(manifests / "truth.csv"), "--error-rate", str(error_rate)]
        subprocess.run([*command, source, *arguments, *simulated], check=True)
    page = _page(manifests / "truth.csv")
    print(page)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page)


def _halves(photos: Sequence[dict[str, str]]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The photos of every other group of products: variants of one brand stay together."""
    n_photos = Counter(photo["group"] for photo in photos)
    sides: tuple[list[dict[str, str]], list[dict[str, str]]] = ([], [])
    totals = [0, 0]
    side_of = {}
    for group in sorted(n_photos, key=lambda group: (-n_photos[group], digest(group))):
        side_of[group] = int(totals[1] < totals[0])
        totals[side_of[group]] += n_photos[group]
    for photo in photos:
        sides[side_of[photo["group"]]].append(photo)
    return sides


def _write(
    path: Path, data: Path, photos: Iterable[dict[str, str]], *, labelled: bool = True
) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["uri", "locale", "product"][: 3 if labelled else 2])
        for photo in photos:
            row = [str((data / photo["file"]).resolve()), LOCALE, photo["product"]]
            writer.writerow(row[: 3 if labelled else 2])


def _page(truth_manifest: Path) -> str:
    settings = load_settings()
    truth = {image: name for image, (_, name) in read_truth(str(truth_manifest)).items()}
    with settings.catalog.begin() as transaction:
        summary = summarise(transaction)
        [*_, last] = clusters.partitions(transaction)
        image_ids = list(clusters.cluster_of_images(transaction, last.id))
        # The models that have seen nothing of the last round: the first one, and the one after
        # the first round.
        earlier = [models.model(transaction, each.model_id) for each in summary.models[:-1]]
    lines = [
        "# Two rounds over the Grocery Store photos",
        "",
        "| clusters of | by | images | clusters | pairwise F | BCubed F | NMI |",
        "|---|---|---|---|---|---|---|",
    ]
    for score in score_rounds(truth):
        figures = (score.pairwise_f, score.bcubed_f, score.nmi)
        lines.append(
            f"| round {score.round} | the champion then | {score.n_images} |"
            f" {score.n_clusters} | {' | '.join(f'{figure:.3f}' for figure in figures)} |"
        )
    lines += [
        _by_model(number, model, image_ids, truth)
        for number, model in enumerate(earlier)
        if model is not None
    ]
    lines += ["", "| model | training set | holdout BCubed F | outcome |", "|---|---|---|---|"]
    lines += [
        f"| {number} | {model.training_set} | {model.bcubed_f:.3f} |"
        f" {'promoted' if model.promoted else 'not promoted'} |"
        for number, model in enumerate(summary.models)
    ]
    lines += [
        "",
        f"{summary.images} images, {summary.questions} questions, {summary.answers} answers,"
        f" {summary.human_seconds:.0f} simulated seconds, {summary.labels_accepted} labels"
        f" accepted, {summary.labels_quarantined} quarantined.",
        "",
    ]
    return "\n".join(lines)


def _by_model(number: int, model: Model, image_ids: list[str], truth: dict[str, str]) -> str:
    encoder, lander = load(model.location)
    known = [image_id for image_id in image_ids if image_id in truth]
    found = lander.predict(encoder.transform(Previews(load_settings().blob_store, known)))
    expected = [truth[image_id] for image_id in known]
    return (
        f"| the last round again | model {number} | {len(known)} | {len(np.unique(found))} |"
        f" {pairwise(expected, found).f:.3f} | {bcubed_f(expected, found):.3f} |"
        f" {nmi(expected, found):.3f} |"
    )


if __name__ == "__main__":
    typer.run(main)
