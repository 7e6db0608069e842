"""What a person rules by hand about verified labels, as decisions in the log.

A ruling supersedes the decisions that it corrects and stands until there is a new answer. It can be
undone like any other.
"""

from collections.abc import Collection, Iterable

from annotation.decisions import undo
from annotation.names import tidy_name
from annotation.partition import SUREST, Decided
from catalog.identity import digest, set_digest
from catalog.schema import NO_SITE, Decision, DecisionKind, Question, QuestionKind


def forget(
    log: Iterable[Decided], image_ids: Collection[str], *, by: str, reason: str
) -> list[Decision]:
    """Decisions that say nothing of `image_ids`, each superseding one of `log` that did."""
    return [
        _without(each, image_ids, (), by=by, reason=reason)
        for each in log
        if not _kept(each.decision).isdisjoint(image_ids)
    ]


def deny(
    log: Iterable[Decided], image_ids: Collection[str], *, by: str, reason: str
) -> list[Decision]:
    """Decisions by which `image_ids` do not show what they were said to show."""
    denied = []
    for each in log:
        kept = _kept(each.decision)
        if not kept.isdisjoint(image_ids):
            asked = kept.intersection(image_ids, each.question.image_ids)
            removed = asked if each.question.kind != QuestionKind.MERGE else ()
            denied.append(_without(each, image_ids, removed, by=by, reason=reason))
    return denied


def named_by_hand(
    image_ids: Collection[str],
    name: str,
    *,
    locale: str,
    about: Iterable[str],
    by: str,
    reason: str,
) -> Decided:
    """The decision of `by` that `image_ids` show one product, called `name` in `locale`.

    Its question stands on no site. `about` are the labels that it corrects, which name it.
    """
    shown, name = sorted(image_ids), tidy_name(name)
    identity = digest("by hand", name, set_digest(shown), set_digest(about))
    question = Question(
        id=identity,
        kind=QuestionKind.VERIFY,
        locale=locale,
        site=NO_SITE,
        image_ids=shown,
        suggestion=name,
    )
    decision = Decision(
        id=digest("decision", identity),
        question_id=identity,
        supersedes_id=None,
        kind=DecisionKind.SAME,
        name=name,
        groups=[shown],
        removed_ids=[],
        memberships=[SUREST] * len(shown),
        answer_ids=[],
        annotators=[by],
        agreement=1.0,
        confidence=SUREST,
        seconds=0.0,
        reason=reason,
    )
    return Decided(question, decision)


def asked_again(
    image_ids: Collection[str], *, locale: str, site: str, about: Iterable[str]
) -> Question:
    """Whether `image_ids` show one product, asked anew after what was said of `about`'s labels."""
    shown = sorted(image_ids)
    return Question(
        id=digest(QuestionKind.VERIFY, "again", set_digest(shown), set_digest(about)),
        kind=QuestionKind.VERIFY,
        locale=locale,
        site=site,
        image_ids=shown,
    )


def taken_back(ruling: Decision, before: Decision | None, *, by: str, reason: str) -> Decision:
    """The decision that stands again what `before` said, or nothing, instead of `ruling`."""
    if before is None:
        return undo(ruling, by=by, reason=reason)
    return _like(before, id=digest("restored", ruling.id), supersedes_id=ruling.id, reason=reason)


def _kept(decision: Decision) -> set[str]:
    return {image for group in decision.groups for image in group}


def _without(
    each: Decided,
    image_ids: Collection[str],
    now_removed: Collection[str],
    *,
    by: str,
    reason: str,
) -> Decision:
    """What a decision says of the others of its images, with `now_removed` told apart from them."""
    question, decision = each
    in_groups = [image for group in decision.groups for image in group]
    place = dict(zip([*in_groups, *decision.removed_ids], decision.memberships, strict=False))
    groups = [[image for image in group if image not in image_ids] for group in decision.groups]
    groups = [group for group in groups if group]
    removed = [*decision.removed_ids, *sorted(now_removed)]
    kind = DecisionKind(decision.kind)
    asked = any(image in question.image_ids for group in groups for image in group)
    if question.kind == QuestionKind.ATTACH and groups and not asked and removed:
        kind = DecisionKind.DIFFERENT
    elif not asked or (question.kind == QuestionKind.MERGE and len(groups) < 2):
        kind, groups = DecisionKind.UNSURE, []
    ruled = dict.fromkeys(now_removed, SUREST)
    return _like(
        decision,
        id=digest("ruling", decision.id, set_digest(image_ids), set_digest(now_removed)),
        supersedes_id=decision.id,
        kind=kind,
        name=decision.name if groups else None,
        groups=groups,
        removed_ids=removed,
        memberships=[
            (place | ruled).get(image, 1.0)
            for image in (*(image for group in groups for image in group), *removed)
        ],
        annotators=sorted({*decision.annotators, by}),
        reason=reason,
        model_id=None,
    )


def _like(decision: Decision, **changes: object) -> Decision:
    """A decision with the content of another, except for `changes`."""
    content = {
        column: getattr(decision, column)
        for column in Decision.__table__.columns.keys()  # noqa: SIM118
        if column != "decided_at"
    }
    return Decision(**content | changes)
