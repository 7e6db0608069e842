"""The records in the catalogue: what stands, what an import would change, and the import."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from catalog import Transaction, workforce
from catalog.schema import WorkforceRecord
from workforce.errors import WorkforceError
from workforce.records import KINDS, Record, Workforce, content

MODELS = {each.kind: each for each in KINDS}


@dataclass(frozen=True)
class Change:
    """A record that is new, or differs from the one that stands; `after` is None if withdrawn."""

    before: Record | None
    after: Record | None

    def __str__(self) -> str:
        record = self.after or self.before
        assert record is not None
        named = f"{record.kind} {record.key}"
        if self.before is None:
            return f"new {named}"
        if self.after is None:
            return f"{named} is withdrawn"
        was, becomes = content(self.before), content(self.after)
        differences = (
            f"{name}: {was[name]} -> {becomes[name]}"
            for name in becomes
            if was[name] != becomes[name]
        )
        return f"{named}: {'; '.join(differences)}"


def standing(transaction: Transaction) -> Workforce:
    """Everything that is recorded and was not withdrawn."""
    return Workforce.of(
        _record(row) for row in workforce.newest(transaction).values() if row.content is not None
    )


def changes(before: Workforce, said: Workforce) -> list[Change]:
    """What would change if `said` were recorded; what it does not name stays as it is.

    Raises `WorkforceError` where the whole would name a vendor that is not recorded.
    """
    known = {(each.kind, each.key): each for each in before.records()}
    told = {(each.kind, each.key): each for each in said.records()}
    Workforce.of({**known, **told}.values())
    return [
        Change(known.get(name), record)
        for name, record in told.items()
        if known.get(name) != record
    ]


def record(transaction: Transaction, changed: Sequence[Change], *, by: str, reason: str) -> None:
    """Add a version of every record that changes."""
    workforce.record(
        transaction,
        {
            (each.kind, each.key): content(change.after) if change.after else None
            for change in changed
            for each in [change.after or change.before]
            if each is not None
        },
        by=by,
        reason=reason,
    )


def withdrawal(before: Workforce, kind: str, key: str) -> Change:
    """What withdrawing a record changes.

    Raises `WorkforceError` where no such record stands, or others refer to it.
    """
    found = {(each.kind, each.key): each for each in before.records()}
    withdrawn = found.pop((kind, key), None)
    if withdrawn is None:
        raise WorkforceError(
            f"no {kind} {key} stands: `groundtruth workforce show` lists what does"
        )
    Workforce.of(found.values())
    return Change(withdrawn, None)


def _record(row: WorkforceRecord) -> Record:
    try:
        return MODELS[row.kind].model_validate(row.content)
    except (KeyError, ValidationError) as error:
        raise WorkforceError(
            f"version {row.version} of {row.kind} {row.key} in the catalogue cannot be read: import"
            f" it anew. {error}"
        ) from error
