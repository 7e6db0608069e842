"""Tasks in which a person rules about quarantined labels and suspends annotators."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import asked_again, deny, forget, named_by_hand, taken_back
from catalog import Transaction, decisions, labels, removals, settlements
from catalog.database import one_at_a_time
from catalog.schema import Decision, Judgement, Settlement, SettlementKind, VerifiedLabel
from tasks.collect import LOG
from tasks.confidentiality import confidential
from tasks.errors import NoSuchLabel, NoSuchSettlement, TooManyPictures
from tasks.knowledge import log_of
from tasks.settings import load_settings
from tasks.sites import sites_for


@task(cache_policy=NO_CACHE)
def release(label_ids: Sequence[str], by: str, reason: str) -> Settlement:
    """Overrule the reasons against quarantined labels; they are judged again without these."""
    kind = SettlementKind.RELEASE
    with _ruling() as transaction:
        try:
            stopped = _stopped(transaction, label_ids)
        except NoSuchLabel:
            if made := _made_before(transaction, kind, label_ids, by=by, reason=reason):
                return made
            raise
        before = settlements.releases(transaction, list(stopped))
        overruled = {
            label: sorted({*judgement.reasons, *before.get(label, (0, []))[1]})
            for label, (judgement, _) in stopped.items()
        }
        return settlements.settle(transaction, kind, overruled, by=by, reason=reason)


@task(cache_policy=NO_CACHE)
def correct(label_ids: Sequence[str], name: str | None, by: str, reason: str) -> Settlement:
    """Rule that the images of quarantined labels show the product called `name`.

    Where there is no name, they do not show the product that the labels say.
    """
    kind = SettlementKind.CORRECT
    with _ruling() as transaction:
        stopped = _stopped(transaction, label_ids)
        shown = _images(stopped)
        if not (name or "").strip():
            if made := _made_before(transaction, kind, stopped, by=by, reason=reason):
                return made
            rulings = deny(log_of(transaction), shown, by=by, reason=reason)
        else:
            named = named_by_hand(
                shown, name or "", locale=_locale(stopped), about=stopped, by=by, reason=reason
            )
            if made := _made_before(
                transaction, kind, stopped, by=by, reason=reason, named=named.decision.id
            ):
                return made
            decisions.add_questions(transaction, [named.question])
            rulings = [
                *forget(log_of(transaction), shown, by=by, reason=reason),
                named.decision,
            ]
        decisions.add_decisions(transaction, rulings)
        return settlements.settle(
            transaction,
            kind,
            dict.fromkeys(stopped, ()),
            by=by,
            reason=reason,
            decision_ids=[ruling.id for ruling in rulings],
        )


@task(cache_policy=NO_CACHE)
def ask_again(label_ids: Sequence[str], by: str, reason: str) -> Settlement:
    """Put the images of quarantined labels before annotators again, as one question."""
    settings = load_settings()
    blocks = sites_for(settings)
    kind = SettlementKind.ASK
    with _ruling() as transaction:
        stopped = _stopped(transaction, label_ids)
        if made := _made_before(transaction, kind, stopped, by=by, reason=reason):
            return made
        shown = _images(stopped)
        at_most = settings.annotate.asking.pictures_per_sheet
        if len(shown) > at_most:
            raise TooManyPictures(
                f"the labels are of {len(shown)} pictures, and one question shows up to {at_most}:"
                " ask about fewer labels at a time"
            )
        rulings = forget(log_of(transaction), shown, by=by, reason=reason)
        question = asked_again(shown, locale=_locale(stopped), site="", about=stopped)
        terms = confidential(transaction, settings, shown)
        question.site = terms.site_of(question, blocks)
        decisions.add_questions(transaction, [question])
        decisions.add_decisions(transaction, rulings)
        return settlements.settle(
            transaction,
            kind,
            dict.fromkeys(stopped, ()),
            by=by,
            reason=reason,
            decision_ids=[ruling.id for ruling in rulings],
            question_id=question.id,
        )


@task(cache_policy=NO_CACHE)
def retract(number: int, by: str, reason: str) -> Settlement:
    """Take a settlement back; what it asked stays asked."""
    with _ruling() as transaction:
        taken = settlements.settlement(transaction, number)
        if taken is None or taken.kind == SettlementKind.RETRACT:
            made = settlements.retraction(transaction, number)
            if made is not None and (made.settled_by, made.reason) == (by, reason):
                return made
            raise NoSuchSettlement(
                f"no settlement {number} stands: `groundtruth quarantine settled` lists them"
            )
        behind = decisions.behind(transaction, taken.decision_ids)
        asked = [question.id for question, _ in behind.values()]
        rulings = [
            each
            for each in decisions.current_decisions(transaction, question_ids=asked)
            if each.id in taken.decision_ids
        ]
        decisions.add_decisions(
            transaction,
            [
                taken_back(ruling, _before(transaction, ruling), by=by, reason=reason)
                for ruling in rulings
            ],
        )
        return settlements.settle(
            transaction,
            SettlementKind.RETRACT,
            dict.fromkeys(settlements.labels_of(transaction, number), ()),
            by=by,
            reason=reason,
            retracts=number,
        )


def suspend(annotator: str, by: str, reason: str, *, lifted: bool) -> None:
    """Suspend an annotator, or lift the suspension: labels judged from now on heed it."""
    with load_settings().catalog.begin() as transaction:
        settlements.suspend(transaction, annotator, by=by, reason=reason, lifted=lifted)


def quarantine() -> list[tuple[str, ...]]:
    """Every quarantined label as a line of a table: label, locale, name, image and reasons."""
    with load_settings().catalog.read() as transaction:
        return [
            (
                label.id[:12],
                label.locale,
                label.name or "",
                label.image_id[:12],
                ", ".join(label.annotators),
                "; ".join(judgement.reasons),
            )
            for judgement, label in labels.quarantined_labels(transaction)
        ]


def settled() -> list[tuple[str, ...]]:
    """Every settlement that stands as a line of a table, the newest first."""
    with load_settings().catalog.read() as transaction:
        return [
            (
                str(each.number),
                f"{each.settled_at:%Y-%m-%d %H:%M}",
                each.kind,
                str(n_labels),
                each.settled_by,
                each.reason,
            )
            for each, n_labels in settlements.standing(transaction)
        ]


@contextmanager
def _ruling() -> Iterator[Transaction]:
    """A transaction in which nobody else supersedes decisions or settles labels."""
    with load_settings().catalog.begin() as transaction:
        one_at_a_time(transaction, LOG)
        yield transaction


def _made_before(
    transaction: Transaction,
    kind: SettlementKind,
    label_ids: Collection[str],
    *,
    by: str,
    reason: str,
    named: str | None = None,
) -> Settlement | None:
    """The settlement that stands and that the same command made, before what follows was killed.

    `named` is the decision by which a name was given. None where there is no such settlement.
    """
    for made, _ in settlements.standing(transaction):
        if (made.kind, made.settled_by, made.reason) != (kind, by, reason):
            continue
        about = settlements.labels_of(transaction, made.number)
        asked = [[each for each in about if each.startswith(begin)] for begin in label_ids]
        if all(len(each) == 1 for each in asked) and about.keys() == {x for [x] in asked}:
            given = _named_by(transaction, made)
            return made if given == named else None
    return None


def _named_by(transaction: Transaction, made: Settlement) -> str | None:
    """The decision by which a settlement gave a name."""
    behind = decisions.behind(transaction, made.decision_ids)
    # What else a settlement decides supersedes what was said before.
    return next((key for key, (_, ruling) in behind.items() if ruling.supersedes_id is None), None)


def _stopped(
    transaction: Transaction, label_ids: Sequence[str]
) -> dict[str, tuple[Judgement, VerifiedLabel]]:
    """The quarantined labels that `label_ids`, or beginnings of them, name.

    Raises `NoSuchLabel` where one names none, or several.
    """
    gone = removals.removed(transaction)
    quarantined = [
        each for each in labels.quarantined_labels(transaction) if each[1].image_id not in gone
    ]
    found = {}
    for named in label_ids:
        meant = [each for each in quarantined if each[1].id.startswith(named)]
        if len(meant) != 1:
            raise NoSuchLabel(
                f"{len(meant)} quarantined labels begin with {named!r}: `groundtruth quarantine"
                " list` shows them; give enough of the first column to name one"
            )
        found[meant[0][1].id] = meant[0]
    return found


def _images(stopped: dict[str, tuple[Judgement, VerifiedLabel]]) -> list[str]:
    return sorted({label.image_id for _, label in stopped.values()})


def _locale(stopped: dict[str, tuple[Judgement, VerifiedLabel]]) -> str:
    locales = sorted({label.locale for _, label in stopped.values()})
    if len(locales) != 1:
        raise NoSuchLabel(
            f"labels of one locale are settled together, and these are of {', '.join(locales)}:"
            " settle those of each locale by themselves"
        )
    return locales[0]


def _before(transaction: Transaction, ruling: Decision) -> Decision | None:
    if ruling.supersedes_id is None:
        return None
    [(_, before)] = decisions.behind(transaction, [ruling.supersedes_id]).values()
    return before
