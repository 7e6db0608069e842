"""The records in the catalogue: what stands, what an import would change, and the import."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from catalog import Transaction, workforce
from catalog.database import one_at_a_time
from catalog.schema import WorkforceRecord
from workforce.errors import WorkforceError
from workforce.records.record import Record
from workforce.records.workforce import KINDS, Workforce, content

MODELS = {each.kind: each for each in KINDS}


@dataclass(frozen=True)
class Change:
    """A record that is new, differs from the one that stands, or (`after` is None) is withdrawn."""

    record: Record
    before: Record | None
    after: Record | None

    def __str__(self) -> str:
        named = f"{self.record.kind} {self.record.key}"
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
    """Everything that is recorded and was not withdrawn.

    Raises `WorkforceError` where a record of the catalogue cannot be read.
    """
    newest = workforce.newest(transaction).values()
    return Workforce.of(_read(row) for row in newest if row.content is not None)


def changes(before: Workforce, said: Workforce) -> list[Change]:
    """What would change if `said` were recorded; what it does not name stays as it is.

    Raises `WorkforceError` where the whole would name a vendor that is not recorded, or a record
    may not follow the one that stands.
    """
    known = {(each.kind, each.key): each for each in before.records()}
    told = {(each.kind, each.key): each for each in said.records()}
    Workforce.of({**known, **told}.values())
    for name, record in told.items():
        if name in known and known[name] != record:
            record.check_follows(known[name])
    return [
        Change(record, known.get(name), record)
        for name, record in told.items()
        if known.get(name) != record
    ]


def recorded(transaction: Transaction, said: Workforce, *, by: str, reason: str) -> list[Change]:
    """Add a version of every record that `said` changes; raises as `changes`."""
    one_at_a_time(transaction, workforce.RECORDING)
    changed = changes(standing(transaction), said)
    _add(transaction, changed, by=by, reason=reason)
    return changed


def withdraw(transaction: Transaction, kind: str, key: str, *, by: str, reason: str) -> Change:
    """Take a record back.

    Raises `WorkforceError` where no such record stands, or others refer to it.
    """
    one_at_a_time(transaction, workforce.RECORDING)
    known = {(each.kind, each.key): each for each in standing(transaction).records()}
    withdrawn = known.pop((kind, key), None)
    if withdrawn is None:
        raise WorkforceError(
            f"no {kind} {key} stands: `groundtruth workforce show` lists what does"
        )
    try:
        Workforce.of(known.values())
    except WorkforceError as error:
        raise WorkforceError(
            f"{kind} {key} cannot be withdrawn before what refers to it is: {error}"
        ) from error
    change = Change(withdrawn, withdrawn, None)
    _add(transaction, [change], by=by, reason=reason)
    return change


def _add(transaction: Transaction, changed: Sequence[Change], *, by: str, reason: str) -> None:
    contents = {
        (each.record.kind, each.record.key): content(each.after) if each.after else None
        for each in changed
    }
    workforce.add_versions(transaction, contents, by=by, reason=reason)


def _read(row: WorkforceRecord) -> Record:
    try:
        return MODELS[row.kind].model_validate(row.content)
    except (KeyError, ValidationError) as error:
        raise WorkforceError(
            f"version {row.version} of {row.kind} {row.key} in the catalogue cannot be read: import"
            f" the record anew, or withdraw it. {error}"
        ) from error
