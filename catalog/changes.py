"""What changed from one training set version to another: labels superseded, never edited."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import groupby

from catalog.labels import LabelRow


class ChangeKind(StrEnum):
    """`RESTATED`: the label was superseded by one that says the same, of another decision."""

    ADDED = "added"
    REMOVED = "removed"
    RELABELLED = "relabelled"
    RESTATED = "restated"


@dataclass(frozen=True)
class Change:
    """The labels of one image before and after; None where the version does not hold it."""

    image_id: str
    before: LabelRow | None
    after: LabelRow | None

    @property
    def kind(self) -> ChangeKind:
        if self.before is None:
            return ChangeKind.ADDED
        if self.after is None:
            return ChangeKind.REMOVED
        same = _said(self.before) == _said(self.after)
        return ChangeKind.RESTATED if same else ChangeKind.RELABELLED

    @property
    def locale(self) -> str:
        return self._newest.locale

    @property
    def product_id(self) -> str | None:
        return self._newest.product_id

    @property
    def _newest(self) -> LabelRow:
        found = self.after or self.before
        assert found is not None
        return found


def changes(before: Iterable[LabelRow], after: Iterable[LabelRow]) -> Iterator[Change]:
    """The images whose label differs between two versions, both sorted by image, one at a time."""
    sides = merge(
        ((row.image_id, 0, row) for row in before),
        ((row.image_id, 1, row) for row in after),
        key=lambda each: each[:2],
    )
    for image_id, found in groupby(sides, key=lambda each: each[0]):
        label = {side: row for _, side, row in found}
        change = Change(image_id, label.get(0), label.get(1))
        if (
            change.before is None
            or change.after is None
            or change.before.label_id != change.after.label_id
        ):
            yield change


def per_locale(found: Iterable[Change]) -> dict[str, Counter[ChangeKind]]:
    """How many changes of each kind there are in each locale."""
    return _counted((change.locale, change.kind) for change in found)


def per_product(found: Iterable[Change]) -> dict[str, Counter[ChangeKind]]:
    """How many changes of each kind each product has; one that is relabelled counts where it is."""
    return _counted((change.product_id or "", change.kind) for change in found)


def _counted(pairs: Iterable[tuple[str, ChangeKind]]) -> dict[str, Counter[ChangeKind]]:
    counted: dict[str, Counter[ChangeKind]] = {}
    for key, kind in pairs:
        counted.setdefault(key, Counter())[kind] += 1
    return dict(sorted(counted.items()))


def _said(label: LabelRow) -> tuple[str | None, str | None, str]:
    return label.product_id, label.name, label.locale
