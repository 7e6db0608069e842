"""Tasks in which a person rules about quarantined labels and suspends annotators."""

from collections import Counter
from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import asked_again, deny, forget, named_by_hand, taken_back
from catalog import Transaction, decisions, labels, settlements
from catalog.schema import Decision, Judgement, Settlement, SettlementKind, VerifiedLabel
from tasks.errors import NoSuchLabel, NoSuchSettlement
from tasks.knowledge import log_of
from tasks.settings import load_settings
from tasks.sites import site_of, sites_for


@task(cache_policy=NO_CACHE)
def release(label_ids: Sequence[str], by: str, reason: str) -> Settlement:
    """Overrule the reasons against quarantined labels; they are judged again without these."""
    with load_settings().catalog.begin() as transaction:
        stopped = _stopped(transaction, label_ids)
        before = settlements.releases(transaction, list(stopped))
        overruled = {
            label: sorted({*judgement.reasons, *before.get(label, (0, []))[1]})
            for label, (judgement, _) in stopped.items()
        }
        return settlements.settle(
            transaction, SettlementKind.RELEASE, overruled, by=by, reason=reason
        )


@task(cache_policy=NO_CACHE)
def correct(label_ids: Sequence[str], name: str | None, by: str, reason: str) -> Settlement:
    """Rule that the images of quarantined labels show the product called `name`.

    Where there is no name, they do not show the product that the labels say.
    """
    with load_settings().catalog.begin() as transaction:
        stopped = _stopped(transaction, label_ids)
        shown = sorted({label.image_id for _, label in stopped.values()})
        log = log_of(transaction)
        if name is None:
            rulings = deny(log, shown, by=by, reason=reason)
        else:
            named = named_by_hand(
                shown, name, locale=_locale(stopped), about=stopped, by=by, reason=reason
            )
            decisions.add_questions(transaction, [named.question])
            rulings = [*forget(log, shown, by=by, reason=reason), named.decision]
        decisions.add_decisions(transaction, rulings)
        return settlements.settle(
            transaction,
            SettlementKind.CORRECT,
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
    with settings.catalog.begin() as transaction:
        stopped = _stopped(transaction, label_ids)
        shown = sorted({label.image_id for _, label in stopped.values()})
        rulings = forget(log_of(transaction), shown, by=by, reason=reason)
        question = asked_again(shown, locale=_locale(stopped), site="", about=stopped)
        question.site = site_of(question.locale, question.id, blocks)
        decisions.add_questions(transaction, [question])
        decisions.add_decisions(transaction, rulings)
        return settlements.settle(
            transaction,
            SettlementKind.ASK,
            dict.fromkeys(stopped, ()),
            by=by,
            reason=reason,
            decision_ids=[ruling.id for ruling in rulings],
            question_id=question.id,
        )


@task(cache_policy=NO_CACHE)
def retract(number: int, by: str, reason: str) -> Settlement:
    """Take a settlement back; what it asked stays asked."""
    with load_settings().catalog.begin() as transaction:
        taken = settlements.settlement(transaction, number)
        if taken is None or taken.kind == SettlementKind.RETRACT:
            raise NoSuchSettlement(
                f"no settlement {number} stands: `groundtruth quarantine settled` lists them"
            )
        standing = {decision.id: decision for _, decision in log_of(transaction)}
        rulings = [standing[each] for each in taken.decision_ids if each in standing]
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
    with load_settings().catalog.begin() as transaction:
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
    with load_settings().catalog.begin() as transaction:
        found = settlements.settlements(transaction)
        taken_back_ones = {each.retracts for each in found}
        n_labels = Counter(
            {each.number: len(settlements.labels_of(transaction, each.number)) for each in found}
        )
    return [
        (
            str(each.number),
            f"{each.settled_at:%Y-%m-%d %H:%M}",
            each.kind,
            str(n_labels[each.number]),
            each.settled_by,
            each.reason,
        )
        for each in reversed(found)
        if each.number not in taken_back_ones and each.kind != SettlementKind.RETRACT
    ]


def _stopped(
    transaction: Transaction, label_ids: Sequence[str]
) -> dict[str, tuple[Judgement, VerifiedLabel]]:
    """The quarantined labels that `label_ids`, or beginnings of them, name.

    Raises `NoSuchLabel` where one names none, or several.
    """
    quarantined = labels.quarantined_labels(transaction)
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
