"""The log of decisions, for a person to read."""

from catalog import decisions
from tasks.settings import load_settings


def decided(image: str | None = None, kind: str | None = None) -> list[tuple[str, ...]]:
    """The decisions that stand, the newest first, each as a line of a table."""
    with load_settings().catalog.read() as transaction:
        log = decisions.decided(transaction, kind=kind)
    return [
        (
            decision.id[:12],
            f"{decision.decided_at:%Y-%m-%d %H:%M}",
            question.locale,
            question.kind,
            decision.kind,
            decision.name or "",
            " + ".join(str(len(group)) for group in decision.groups)
            + (f", {len(decision.removed_ids)} removed" if decision.removed_ids else ""),
            f"{decision.confidence:.0%}",
            ", ".join(decision.annotators)
            or (f"accepted: model {decision.model_id[:12]}" if decision.model_id else ""),
        )
        for question, decision in sorted(
            log, key=lambda each: (each[1].decided_at, each[1].id), reverse=True
        )
        if image is None or image in (*question.image_ids, *question.reference_ids)
    ]
