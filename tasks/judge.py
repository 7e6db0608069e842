"""The task that sends labels through the gate, with everything that is known about them."""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.events.worker import EventsWorker

from annotation import Partition, gold_counts
from catalog import (
    BlobStore,
    Transaction,
    clusters,
    content_digest,
    decisions,
    digest,
    features,
    gate_history,
    images,
    labels,
    models,
    settlements,
)
from catalog.images import image_key, preview_key
from catalog.labels import LabelRow
from catalog.schema import (
    Decision,
    DecisionKind,
    GateRun,
    Observation,
    Origin,
    Question,
    QuestionKind,
)
from expectations.facts import (
    CURRENT_COLUMNS,
    DECIDED_COLUMNS,
    GOLD_COLUMNS,
    HISTORY_COLUMNS,
    IMAGE_COLUMNS,
    Known,
)
from expectations.verdict import Verdict
from tasks.accept import histories, judgeable, stands
from tasks.duplicates import look_alikes
from tasks.events import Happened, tell
from tasks.knowledge import knowledge
from tasks.settings import Settings, load_settings

log = logging.getLogger(__name__)

READERS = 8
PICTURES_PER_REASON = 6
VERDICT_KINDS = (QuestionKind.VERIFY, QuestionKind.ATTACH)


@dataclass(frozen=True)
class Judged:
    """What the gate said of the labels that waited before it, and the page about it."""

    n_accepted: int
    n_quarantined: int
    held: bool
    report: str
    page: Path


@task(cache_policy=NO_CACHE)
def judge() -> Judged | None:
    """Send the labels that wait through the gate; None where none wait."""
    from expectations.gate import judge as judge_labels
    from expectations.page import passage_page
    from expectations.report import render

    settings = load_settings()
    with settings.catalog.read() as transaction:
        waiting = judgeable(transaction, labels.unjudged(transaction), settings.annotate.acceptance)
        if not waiting:
            return None
        current = labels.accepted(transaction)
        released = settlements.releases(transaction, [label.label_id for label in waiting])
    known = known_about(settings, waiting, current)
    batch = frame(settings, waiting, current)
    releases = {label: number for label, (number, _) in released.items()}
    passage = digest("passage", *sorted(batch.index), *sorted(releases.items()))
    folder = reports(settings) / passage
    verdict = judge_labels(
        batch,
        known,
        settings.gate,
        overruled={label: reasons for label, (_, reasons) in released.items()},
        docs=folder,
    )
    image_of = {label.label_id: label.image_id for label in waiting}
    page = folder / "index.html"
    page.write_text(
        passage_page(
            verdict,
            settings.gate,
            pictures=_examples(settings.blob_store, verdict, image_of),
            history=known.history,
        ),
        encoding="utf-8",
    )
    if verdict.held:
        tell_of_held(settings, verdict, releases)
    with settings.catalog.begin() as transaction:
        record(transaction, verdict, releases)
    for label, reasons in verdict.quarantined.items():
        about = {"image": image_of[label], "label": label, "reasons": list(reasons)}
        log.info("label quarantined", extra=about)
    return Judged(
        len(verdict.accepted),
        len(verdict.quarantined),
        verdict.held,
        render(verdict, settings.gate),
        page,
    )


def reports(settings: Settings) -> Path:
    """The folder of the gate's pages: one folder per passage."""
    return settings.data / "reports" / "gate"


def tell_of_held(settings: Settings, verdict: Verdict, releases: Mapping[str, int]) -> None:
    """Tell of a batch that is held, unless that is on record; told again, Prefect keeps it once.

    The event is with Prefect before the row is written: where a run ends in between, the next tells
    it again under the same identity.
    """
    identity = labels.gate_run_id(verdict.accepted, verdict.quarantined, verdict.held, releases)
    with settings.catalog.read() as transaction:
        if transaction.get(GateRun, identity) is not None:
            return
    tell(Happened.HELD, {"n_quarantined": len(verdict.quarantined)}, UUID(identity))
    EventsWorker.instance().wait_until_empty()


def record(transaction: Transaction, verdict: Verdict, releases: Mapping[str, int]) -> None:
    """Keep the verdict, and what each rule saw."""
    run = labels.record_gate_run(
        transaction,
        accepted_ids=verdict.accepted,
        quarantined=verdict.quarantined,
        held=verdict.held,
        rules=[asdict(rule) for rule in verdict.rules],
        releases=releases,
    )
    gate_history.record(
        transaction,
        [
            Observation(
                gate_run_id=run.id,
                rule=seen.rule,
                locale=seen.locale,
                state=seen.state,
                value=seen.value,
                n=seen.n,
            )
            for seen in verdict.observations
        ],
    )


def known_about(
    settings: Settings, waiting: Sequence[LabelRow], current: Sequence[LabelRow]
) -> Known:
    """What the labels that wait are judged by."""
    with settings.catalog.read() as transaction:
        judged = sorted({label.image_id for label in waiting})
        locale_of = images.locales_of(
            transaction, sorted({*judged, *(label.image_id for label in current)})
        )
        about = {locale_of[image] for image in judged if image in locale_of}
        comparable = {image: locale for image, locale in locale_of.items() if locale in about}
        groups = look_alikes(transaction, comparable, settings.pictures)
        suspended = settlements.suspended(transaction)
        gold = decisions.gold_questions(transaction)
        counted = gold_counts(gold, decisions.answers_to(transaction, list(gold)))
        passages = gate_history.passages(transaction, settings.gate.history_at_most)
        last = passages[-1].number if passages else 0
        outcomes = decisions.outcomes_since(transaction, last, VERDICT_KINDS)
        history = [
            (passage, seen.rule, seen.locale, seen.value, seen.n)
            for passage, seen in gate_history.observations(transaction, passages)
        ]
    unchanged = _unchanged(settings.blob_store, judged[: settings.gate.images_hashed])
    return Known(
        images=_table(
            (
                (image, locale, unchanged.get(image), groups.get(image))
                for image, locale in locale_of.items()
            ),
            IMAGE_COLUMNS,
        ).astype({"unchanged": float}),
        current=_table(
            ((label.image_id, label.product_id, label.locale) for label in current),
            CURRENT_COLUMNS,
        ),
        locales=settings.locales,
        vendors=settings.annotate.sites,
        suspended=suspended,
        gold=_table(((*who, *share) for who, share in counted.items()), GOLD_COLUMNS),
        decided=_table(_confirmed(outcomes), DECIDED_COLUMNS),
        history=_table(history, HISTORY_COLUMNS).astype({"value": float}),
    )


def frame(
    settings: Settings, waiting: Sequence[LabelRow], current: Sequence[LabelRow]
) -> pd.DataFrame:
    """The labels that wait as the gate reads them: one row each, indexed by their identity."""
    with settings.catalog.read() as transaction:
        known = knowledge(transaction)
        behind = decisions.behind(
            transaction, sorted({label.decision_id for label in waiting if label.decision_id})
        )
        allowed = histories(transaction, settings.annotate.acceptance)
    disputed = {image for each in known.contradictions for image in (*each.left, *each.right)}
    return pd.DataFrame(
        {
            "image_id": [label.image_id for label in waiting],
            "product_id": [label.product_id for label in waiting],
            "name": [label.name for label in waiting],
            "locale": [label.locale for label in waiting],
            "origin": [label.origin for label in waiting],
            "annotators": [label.annotators for label in waiting],
            "agreement": [label.agreement for label in waiting],
            "seconds": [label.seconds for label in waiting],
            "differs": _differs(known, waiting),
            "disputed": [label.image_id in disputed for label in waiting],
            "guaranteed": [
                label.origin == Origin.ACCEPTED
                and stands(allowed, *behind[label.decision_id or ""])
                for label in waiting
            ],
            **_decided(behind, waiting),
            **_suspicion(settings, waiting, current),
        },
        index=[label.label_id for label in waiting],
    )


def _table(rows: Iterable[Sequence[object]], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))


def _unchanged(blobs: BlobStore, image_ids: Sequence[str]) -> dict[str, float]:
    """Whether the bytes of each image still have the digest that names it.

    Digests sort images as chance would, so the first ones are a sample of all.
    """

    def is_unchanged(image_id: str) -> float:
        try:
            return float(content_digest(blobs.get(image_key(image_id))) == image_id)
        except FileNotFoundError:
            return 0.0

    with ThreadPoolExecutor(READERS) as pool:
        return dict(zip(image_ids, pool.map(is_unchanged, image_ids), strict=True))


def _confirmed(outcomes: Iterable[tuple[str, str, int]]) -> list[tuple[str, int, int]]:
    """Of the questions decided in each locale, how many were confirmed."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for locale, kind, n in outcomes:
        counted[locale][kind] += n
    return [(locale, kinds[DecisionKind.SAME], kinds.total()) for locale, kinds in counted.items()]


def _differs(known: Partition, waiting: Sequence[LabelRow]) -> list[bool]:
    """Whether the image of each label is known not to show its product."""
    named = {end for pair in known.apart for end in pair}
    return [
        label.product_id in named and known.differ(label.image_id, label.product_id or "")
        for label in waiting
    ]


def _decided(
    behind: Mapping[str, tuple[Question, Decision]], waiting: Sequence[LabelRow]
) -> dict[str, list[object]]:
    """Site, kind and posterior of the decision behind each label; manifests have none.

    The posterior is that of the decision as a whole or of the image's own place, if that is less.
    """
    place: dict[tuple[str | None, str], float] = {}
    for decision_id, (_, decision) in behind.items():
        members = (image for group in decision.groups for image in group)
        place |= {
            (decision_id, image): min(membership, decision.confidence)
            for image, membership in zip(members, decision.memberships, strict=False)
        }
    found: dict[str, list[object]] = {"site": [], "verdict": [], "posterior": []}
    for label in waiting:
        question, decision = behind.get(label.decision_id or "", (None, None))
        found["site"].append(question.site or None if question else None)
        found["verdict"].append(decision.kind if decision else None)
        # The product of a manifest's image that a decision changed is as sure as the decision.
        surest = decision.confidence if decision else np.nan
        found["posterior"].append(place.get((label.decision_id, label.image_id), surest))
    return found


def _suspicion(
    settings: Settings, waiting: Sequence[LabelRow], current: Sequence[LabelRow]
) -> dict[str, NDArray[np.float64]]:
    """What the champion's view of the images says of each label.

    Images of this batch and of the training set are compared that the champion has embedded.
    """
    from clustering.neighbours import find_neighbours
    from expectations.suspicion import NEIGHBOURS, suspicion

    nothing = np.full(len(waiting), np.nan)
    product_of = {
        label.image_id: label.product_id for label in (*current, *waiting) if label.product_id
    }
    with settings.catalog.read() as transaction:
        model = models.champion(transaction)
        places = clusters.features_of(transaction, model.id, sorted(product_of)) if model else {}
    if not places:
        return {"quality": nothing, "typicality": nothing}
    seen = sorted(places)
    near = find_neighbours(features.read(settings.blob_store, seen, places), NEIGHBOURS)
    _, products = np.unique([product_of[image] for image in seen], return_inverse=True)
    # A manifest labels each image by itself.
    source_of = {label.image_id: label.decision_id for label in (*current, *waiting)}
    _, sheets = np.unique([source_of[image] or image for image in seen], return_inverse=True)
    said = suspicion(products, sheets, near.indices, near.cosines)
    row_of = {image: row for row, image in enumerate(seen)}
    # An image with labels that name two products is looked at as one of them only.
    rows = np.array(
        [
            row_of.get(label.image_id, -1)
            if product_of.get(label.image_id) == label.product_id
            else -1
            for label in waiting
        ]
    )
    return {
        "quality": np.where(rows >= 0, said.quality[rows], np.nan),
        "typicality": np.where(rows >= 0, said.typicality[rows], np.nan),
    }


def _examples(
    blobs: BlobStore, verdict: Verdict, image_of: Mapping[str, str]
) -> dict[str, list[bytes]]:
    """Previews of some of the images that were quarantined, by the reason."""
    chosen: dict[str, list[str]] = defaultdict(list)
    for label, reasons in verdict.quarantined.items():
        for reason in reasons:
            if len(chosen[reason]) < PICTURES_PER_REASON:
                chosen[reason].append(image_of[label])
    return {reason: _previews(blobs, image_ids) for reason, image_ids in chosen.items()}


def _previews(blobs: BlobStore, image_ids: Collection[str]) -> list[bytes]:
    keys = [preview_key(image_id) for image_id in image_ids]
    return [blobs.get(key) for key in keys if blobs.exists(key)]
