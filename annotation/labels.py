"""Verified labels as they follow from the partition, each superseding what the image had before."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from annotation.partition import Partition
from catalog.identity import digest
from catalog.schema import Origin, VerifiedLabel

CONTENT = (
    *("product_id", "name", "locale", "origin", "decision_id"),
    *("annotators", "agreement", "seconds", "withdrawn"),
)


def changed_labels(
    partition: Partition, manifest: Collection[VerifiedLabel], newest: Iterable[VerifiedLabel]
) -> list[VerifiedLabel]:
    """The labels to add, so that the newest label of each image says what `partition` says.

    Parameters
    ----------
    manifest
        What the manifests say.
    newest
        The labels that no other supersedes, withdrawn ones as well. An image that manifests label
        in two ways has two: that is left to the gate, until somebody has ruled which is wrong.
    """
    listed = {label.image_id: label for label in manifest}
    listed_ids = {label.id for label in manifest}
    before: dict[str, list[VerifiedLabel]] = defaultdict(list)
    for label in newest:
        before[label.image_id].append(label)
    fresh = []
    for image in sorted({*before, *partition.product_of}):
        rivals = [label for label in before[image] if not label.withdrawn]
        if len(rivals) > 1:
            wrong = [label for label in rivals if label.id not in listed_ids]
            fresh += [
                _successor(label, _content_of(label) | {"withdrawn": True}, image)
                for label in wrong
            ]
            continue
        previous = next(iter(rivals or before[image]), None)
        content = _content(image, partition, listed.get(image), previous)
        if previous is None or content != _content_of(previous):
            fresh.append(_successor(previous, content, image))
    return fresh


def _successor(
    previous: VerifiedLabel | None, content: dict[str, Any], image: str
) -> VerifiedLabel:
    chain = previous.id if previous else None
    return VerifiedLabel(
        id=digest(image, chain, *content.values()),
        image_id=image,
        supersedes_id=chain,
        **content,
    )


def _content_of(label: VerifiedLabel) -> dict[str, Any]:
    return {key: getattr(label, key) for key in CONTENT}


def _content(
    image: str,
    partition: Partition,
    listed: VerifiedLabel | None,
    previous: VerifiedLabel | None,
) -> dict[str, Any]:
    """What is to be said of an image: by its decision, else by its manifest, else no longer."""
    source = partition.sources.get(image)
    if source is None:
        said = listed or previous
        assert said is not None
        content = _content_of(said)
        return content if listed else content | {"withdrawn": True}
    question, decision = source
    product = partition.product_of[image]
    locale = listed.locale if listed else question.locale
    return {
        "product_id": product,
        "name": partition.names.get((product, locale)),
        "locale": locale,
        "origin": Origin.DECISION.value,
        "decision_id": decision.id,
        "annotators": decision.annotators,
        "agreement": decision.agreement,
        "seconds": None if listed else decision.seconds / len(question.image_ids),
        "withdrawn": False,
    }
