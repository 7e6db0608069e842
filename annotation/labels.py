"""Verified labels as they follow from the partition, each superseding what the image had before."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from annotation.partition import Partition
from catalog.identity import digest
from catalog.schema import NO_SITE, Origin, VerifiedLabel

CONTENT = (
    *("product_id", "name", "locale", "origin", "decision_id"),
    *("annotators", "agreement", "seconds", "withdrawn"),
)
WITHDRAWN = {"withdrawn": True}


def changed_labels(
    partition: Partition,
    manifest: Collection[VerifiedLabel],
    newest: Iterable[VerifiedLabel],
    removed: Collection[str] = frozenset(),
) -> list[VerifiedLabel]:
    """The labels to add, so that the newest label of each image says what `partition` says.

    Parameters
    ----------
    manifest
        What the manifests say.
    newest
        The labels that no other supersedes, withdrawn ones as well. An image that manifests label
        in two ways has two: that is left to the gate, until somebody has ruled which is wrong.
    removed
        The images that must go. Every label of theirs is withdrawn, whatever is said of them; what
        they told of other images stays told.
    """
    listed = {label.image_id: label for label in manifest}
    listed_ids = {label.id for label in manifest}
    before: dict[str, list[VerifiedLabel]] = defaultdict(list)
    for label in newest:
        before[label.image_id].append(label)
    fresh = [
        _withdrawn(label)
        for image in sorted(before.keys() & removed)
        for label in before[image]
        if not label.withdrawn
    ]
    for image in sorted({*before, *partition.product_of}.difference(removed)):
        rivals = [label for label in before[image] if not label.withdrawn]
        if len(rivals) > 1:
            left = [label for label in rivals if label.id in listed_ids] or rivals[:1]
            fresh += [_withdrawn(label) for label in rivals if label not in left]
            if len(left) > 1:
                continue
            rivals = left
        previous = next(iter(rivals or before[image]), None)
        content = _content(image, partition, listed.get(image), previous)
        if previous is None or content != _content_of(previous):
            fresh.append(_successor(image, previous, content))
    return fresh


def _successor(
    image: str, previous: VerifiedLabel | None, content: dict[str, Any]
) -> VerifiedLabel:
    chain = previous.id if previous else None
    return VerifiedLabel(
        id=digest(image, chain, *content.values()), image_id=image, supersedes_id=chain, **content
    )


def _withdrawn(label: VerifiedLabel) -> VerifiedLabel:
    return _successor(label.image_id, label, _content_of(label) | WITHDRAWN)


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
        return content if listed else content | WITHDRAWN
    question, decision = source
    product = partition.product_of[image]
    locale = listed.locale if listed else question.locale
    return {
        "product_id": product,
        "name": partition.names.get((product, locale)),
        "locale": locale,
        "origin": (Origin.ACCEPTED if decision.model_id else Origin.DECISION).value,
        "decision_id": decision.id,
        "annotators": decision.annotators,
        "agreement": decision.agreement,
        # What somebody ruled by hand, or nobody was asked, took nobody's time at a desk.
        "seconds": None
        if listed or decision.model_id or question.site == NO_SITE
        else decision.seconds / len(question.image_ids),
        "withdrawn": False,
    }
