"""What is recorded of vendors, contracts and money: every version that was ever said."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from catalog.database import add_new, one_at_a_time
from catalog.schema import WorkforceRecord

# What numbers the versions of records.
RECORDING = "recording the workforce"

Key = tuple[str, str]
"""The kind of a record, and its key among those of its kind."""


def newest(session: Session) -> dict[Key, WorkforceRecord]:
    """The version of every record that counts, withdrawn ones too, by kind and key."""
    last = (
        select(
            WorkforceRecord.kind,
            WorkforceRecord.key,
            func.max(WorkforceRecord.version).label("version"),
        )
        .group_by(WorkforceRecord.kind, WorkforceRecord.key)
        .subquery()
    )
    query = select(WorkforceRecord).join(
        last,
        and_(
            WorkforceRecord.kind == last.c.kind,
            WorkforceRecord.key == last.c.key,
            WorkforceRecord.version == last.c.version,
        ),
    )
    return {
        (each.kind, each.key): each
        for each in session.scalars(query.order_by(WorkforceRecord.kind, WorkforceRecord.key))
    }


def history(session: Session, kind: str, key: str) -> list[WorkforceRecord]:
    """Every version of a record, the first one first."""
    query = select(WorkforceRecord).where(WorkforceRecord.kind == kind, WorkforceRecord.key == key)
    return list(session.scalars(query.order_by(WorkforceRecord.version)))


def add_versions(
    session: Session, contents: Mapping[Key, Mapping[str, Any] | None], *, by: str, reason: str
) -> None:
    """Add a version of each of `contents`; None withdraws the record."""
    one_at_a_time(session, RECORDING)
    before = newest(session)
    add_new(
        session,
        [
            WorkforceRecord(
                kind=kind,
                key=key,
                version=before[kind, key].version + 1 if (kind, key) in before else 1,
                content=dict(content) if content is not None else None,
                said_by=by,
                reason=reason,
            )
            for (kind, key), content in contents.items()
        ],
    )
