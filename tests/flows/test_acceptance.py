"""What is accepted without asking is recorded, labelled, audited, and asked when it must be."""

import datetime as dt

import pytest

from annotation import Acceptable, follow_ups, partition
from annotation.acceptance import history
from catalog import audits, decisions, digest, images, labels
from catalog.schema import (
    Audit,
    AuditPurpose,
    AuditSubject,
    Decision,
    DecisionKind,
    Origin,
    Promotion,
    Question,
    QuestionKind,
)
from tasks.accept import accept, histories, revoke, standing, waits
from tasks.annotate import queues_to_push
from tasks.collect import relabel, undo_decision
from tasks.judge import judge
from tasks.knowledge import log_of
from tasks.settings import Settings
from tests.catalog.rows import Bench

LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
A_MONTH_LATER = LONG_AGO + dt.timedelta(days=30)
SCORE = 0.95


@pytest.fixture
def bench(settings: Settings) -> Bench:
    return Bench(settings.catalog, settings.blob_store)


@pytest.fixture
def model_id(bench: Bench) -> str:
    return bench.model().id


@pytest.fixture
def product(bench: Bench) -> tuple[str, list[str]]:
    """A known product, with its gallery."""
    gallery = bench.ingest("known 1", "known 2")
    return bench.label("Kakao", gallery), gallery


def attachment(bench: Bench, gallery: list[str], *names: str) -> Question:
    """The question whether new pictures show the product of `gallery`."""
    return Question(
        id=digest("attach", *names),
        kind=QuestionKind.ATTACH,
        locale="de-DE",
        site="local",
        image_ids=bench.ingest(*names),
        reference_ids=gallery,
    )


def audited(
    bench: Bench,
    model_id: str,
    gallery: list[str],
    n: int,
    right: bool,
    drawn_at: dt.datetime = LONG_AGO,
    score: float = SCORE,
) -> None:
    """Audits that people have answered, on one picture."""
    [image] = bench.ingest("audited")
    answered_at = drawn_at if right else dt.datetime.now(dt.UTC)
    with bench.catalog.begin() as transaction:
        asked = [
            Question(
                id=digest("audited", number, right, drawn_at),
                kind=QuestionKind.ATTACH,
                locale="de-DE",
                site="local",
                image_ids=[image],
                reference_ids=gallery,
            )
            for number in range(n)
        ]
        decisions.add_questions(transaction, asked)
        audits.add_audits(
            transaction,
            [
                Audit(
                    question_id=question.id,
                    purpose=AuditPurpose.ACCEPTANCE,
                    locale="de-DE",
                    subject=AuditSubject.ATTACHMENT,
                    score=score,
                    chance=0.25,
                    model_id=model_id,
                    drawn_at=drawn_at,
                )
                for question in asked
            ],
        )
        decisions.add_decisions(
            transaction,
            [
                Decision(
                    id=digest("said", question.id),
                    question_id=question.id,
                    supersedes_id=None,
                    kind=DecisionKind.SAME if right else DecisionKind.UNSURE,
                    name=None,
                    groups=[gallery, [image]] if right else [],
                    removed_ids=[],
                    memberships=[1.0] * (len(gallery) + 1) if right else [],
                    answer_ids=["an answer"],
                    annotators=["ada"],
                    agreement=1.0,
                    confidence=1.0,
                    seconds=5.0,
                    decided_at=answered_at + dt.timedelta(seconds=number),
                )
                for number, question in enumerate(asked)
            ],
        )


@pytest.fixture
def shown(bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]) -> None:
    """As many clean audits as the guarantee asks for."""
    enough = history([], settings.annotate.acceptance).threshold.missing
    audited(bench, model_id, product[1], enough, right=True)


def show_what_was_accepted(
    bench: Bench, settings: Settings, model_id: str, gallery: list[str]
) -> None:
    """As many clean audits of what was accepted as the guarantee asks for."""
    drawn_at = dt.datetime.now(dt.UTC)
    audited(bench, model_id, gallery, 1, right=True, drawn_at=drawn_at)
    with settings.catalog.read() as transaction:
        [past] = histories(transaction, settings.annotate.acceptance).values()
    later = drawn_at + dt.timedelta(seconds=1)
    audited(bench, model_id, gallery, past.owed, right=True, drawn_at=later)


def accepted_now(settings: Settings, model_id: str, question: Question) -> bool:
    """Whether a question that is not drawn is accepted."""
    guarantee = settings.annotate.acceptance.model_copy(update={"audit_share": 1e-9})
    candidate = Acceptable(question, AuditSubject.ATTACHMENT, SCORE)
    with settings.catalog.begin() as transaction:
        found = accept(transaction, [candidate], model_id=model_id, guarantee=guarantee)
    return bool(found.accepted)


def origins(settings: Settings) -> dict[str, str]:
    """Where the label of each image comes from that the gate has accepted."""
    with settings.catalog.read() as transaction:
        return {row.image_id: row.origin for row in labels.accepted(transaction)}


def what_follows() -> None:
    relabel.fn()
    judge.fn()


def test_without_enough_audits_nothing_is_accepted(
    bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
) -> None:
    audited(bench, model_id, product[1], 100, right=True)
    assert not accepted_now(settings, model_id, attachment(bench, product[1], "new"))


@pytest.mark.usefixtures("shown")
class TestAccepted:
    def test_its_labels_wait_before_the_gate_until_audits_of_it_show_it(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        question = attachment(bench, product[1], "new")
        assert accepted_now(settings, model_id, question)
        what_follows()
        with settings.catalog.read() as transaction:
            waiting = {each.image_id for each in labels.unjudged(transaction)}
        assert set(question.image_ids) <= waiting

    def test_what_waits_for_too_long_is_asked(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        guarantee = settings.annotate.acceptance
        question = attachment(bench, product[1], "new")
        accepted_now(settings, model_id, question)
        with settings.catalog.read() as transaction:
            [(_, decision)] = audits.accepted(transaction)
            allowed = histories(transaction, guarantee)
        assert waits(allowed, question, decision, guarantee)
        impatient = guarantee.model_copy(update={"wait_days": 1e-9})
        assert not waits(allowed, question, decision, impatient)

    def test_its_labels_pass_the_gate_and_say_that_nobody_was_asked(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        question = attachment(bench, product[1], "new 1", "new 2")
        assert accepted_now(settings, model_id, question)
        show_what_was_accepted(bench, settings, model_id, product[1])
        what_follows()
        found = origins(settings)
        assert {found[image] for image in question.image_ids} == {Origin.ACCEPTED}

    def test_nobody_is_asked_and_its_images_wait_no_more(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        question = attachment(bench, product[1], "new")
        accepted_now(settings, model_id, question)
        with settings.catalog.read() as transaction:
            asked = decisions.to_push(transaction, "local", "de-DE", QuestionKind.ATTACH)
            waiting = images.waiting(transaction, "de-DE")
        assert question.id not in {each.id for each in asked}
        assert not set(question.image_ids) & set(waiting)

    def test_an_audit_of_it_is_asked(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        question = attachment(bench, product[1], "new")
        always = settings.annotate.acceptance.model_copy(
            update={"audit_share": 1.0, "typical_images": 1.0}
        )
        candidate = Acceptable(question, AuditSubject.ATTACHMENT, SCORE)
        with settings.catalog.begin() as transaction:
            accept(transaction, [candidate], model_id=model_id, guarantee=always)
            asked = decisions.to_push(transaction, "local", "de-DE", QuestionKind.ATTACH)
        assert question.id in {each.id for each in asked}
        assert any(queue.kind == QuestionKind.ATTACH for queue in queues_to_push.fn())

    def test_another_model_needs_audits_of_its_own(
        self, bench: Bench, settings: Settings, product: tuple[str, list[str]]
    ) -> None:
        assert not accepted_now(settings, "another", attachment(bench, product[1], "new"))

    def test_a_command_that_was_killed_accepts_once(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        question = attachment(bench, product[1], "new")
        first = accepted_now(settings, model_id, question)
        again = accepted_now(settings, model_id, question)
        with settings.catalog.read() as transaction:
            n_accepted = len(audits.accepted(transaction))
        assert (first, again, n_accepted) == (True, False, 1)

    def test_while_the_audits_carry_it_nothing_is_revoked(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        accepted_now(settings, model_id, attachment(bench, product[1], "new"))
        assert revoke.fn() == 0

    def test_when_audits_fail_it_is_revoked_and_asked_of_people(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        question = attachment(bench, product[1], "new")
        accepted_now(settings, model_id, question)
        what_follows()
        audited(bench, model_id, product[1], 20, right=False, drawn_at=A_MONTH_LATER)
        assert revoke.fn() == 1
        assert revoke.fn() == 0
        what_follows()
        with settings.catalog.read() as transaction:
            asked = decisions.to_push(transaction, "local", "de-DE", QuestionKind.ATTACH)
        assert question.id in {each.id for each in asked}
        assert not set(question.image_ids) & set(origins(settings))
        assert not accepted_now(settings, model_id, attachment(bench, product[1], "newer"))

    def test_a_label_that_the_guarantee_does_not_cover_is_quarantined(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        accepted_now(settings, model_id, attachment(bench, product[1], "new"))
        audited(bench, model_id, product[1], 20, right=False, drawn_at=A_MONTH_LATER)
        what_follows()
        with settings.catalog.read() as transaction:
            [stopped] = [
                each
                for each, label in labels.quarantined_labels(transaction)
                if label.origin == Origin.ACCEPTED
            ]
        assert any("nobody was asked" in reason for reason in stopped.reasons)

    def test_a_person_may_undo_it_and_people_are_asked(
        self, bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
    ) -> None:
        question = attachment(bench, product[1], "new")
        accepted_now(settings, model_id, question)
        with settings.catalog.read() as transaction:
            [(_, decision)] = audits.accepted(transaction)
        undo_decision.fn(decision.id, "lead", "a look-alike")
        with settings.catalog.read() as transaction:
            asked = decisions.to_push(transaction, "local", "de-DE", QuestionKind.ATTACH)
        assert question.id in {each.id for each in asked}

    def test_a_cluster_that_was_accepted_is_shown_in_part_to_be_named(
        self, bench: Bench, settings: Settings, model_id: str
    ) -> None:
        shown = bench.ingest(*(f"new {n}" for n in range(20)))
        question = Question(
            id="cluster", kind=QuestionKind.VERIFY, locale="de-DE", site="local", image_ids=shown
        )
        accepted_now(settings, model_id, question)
        with settings.catalog.read() as transaction:
            log = log_of(transaction)
        [naming] = follow_ups(log, partition(log, []), settings.annotate.asking)
        assert set(naming.image_ids) < set(shown)
        assert len(naming.image_ids) < len(shown) / 2


def test_the_page_says_how_many_audits_are_missing(
    bench: Bench, settings: Settings, model_id: str, product: tuple[str, list[str]]
) -> None:
    bench.add(
        Promotion(number=1, challenger_id=model_id, champion_id=None, promoted=True, reason="first")
    )
    audited(bench, model_id, product[1], 100, right=True)
    [line] = standing()
    assert line[:2] == ("de-DE", AuditSubject.ATTACHMENT)
    assert "clean audits are missing" in line[-1]
