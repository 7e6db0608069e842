"""Questions, the answers to them, and the decisions that stand."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from catalog.database import add_new, chunks
from catalog.gate_history import last_passage
from catalog.paging import EVERYTHING, PAGE, Range, ranges
from catalog.schema import (
    Answer,
    Audit,
    Decision,
    DecisionKind,
    Desk,
    Pull,
    Question,
    QuestionImage,
    QuestionKind,
    QuestionReference,
    SiteProject,
    SiteTask,
    WithdrawnQuestion,
)


def add_questions(session: Session, questions: Sequence[Question]) -> int:
    """Ask what has not been asked yet; how many that is."""
    n_new = add_new(session, questions)
    about = {(image_id, each.id) for each in questions for image_id in each.image_ids}
    beside = {(image_id, each.id) for each in questions for image_id in each.reference_ids}
    for table, pairs in ((QuestionImage, about), (QuestionReference, beside)):
        add_new(session, [table(image_id=image, question_id=asked) for image, asked in pairs])
    return n_new


def showing(session: Session, image_ids: Collection[str]) -> list[tuple[str, str]]:
    """Each question that shows one of `image_ids`, or compares with it, beside that image."""
    found: set[tuple[str, str]] = set()
    for chunk in chunks(sorted(image_ids)):
        for table in (QuestionImage, QuestionReference):
            pairs = select(table.question_id, table.image_id).where(table.image_id.in_(chunk))
            found.update(session.execute(pairs).tuples())
    return sorted(found)


def to_push(session: Session, site: str, locale: str, kind: str) -> list[Question]:
    """Questions of one kind and locale that are not known to stand at a site's crowd's desk."""
    of_queue = (Question.locale == locale, Question.kind == kind)
    return [
        question
        for ids in ranges(session, Question.id, *of_queue)
        for question in session.scalars(
            select(Question)
            .where(*of_queue, Question.site == site, ids.holds(Question.id))
            .where(~_stands_at(Desk.CROWD, ids), ~is_withdrawn(), ~_needs_no_answer())
            .order_by(Question.id)
        )
    ]


def queues_to_push(session: Session, site: str) -> list[tuple[str, str]]:
    """The locales and kinds of which questions are not known to stand at a site's crowd's desk."""
    found: set[tuple[str, str]] = set()
    for ids in ranges(session, Question.id):
        query = select(Question.locale, Question.kind).where(
            Question.site == site,
            ids.holds(Question.id),
            ~_stands_at(Desk.CROWD, ids),
            ~is_withdrawn(),
            ~_needs_no_answer(),
        )
        found.update(session.execute(query.distinct()).tuples())
    return sorted(found)


def tasks_at(session: Session, desk: Desk, question_ids: Sequence[str]) -> dict[str, SiteTask]:
    """Where each of `question_ids` stands at a desk; those that do not are left out."""
    found: dict[str, SiteTask] = {}
    for chunk in chunks(question_ids, PAGE):
        query = select(SiteTask).where(SiteTask.desk == desk, SiteTask.question_id.in_(chunk))
        found.update((task.question_id, task) for task in session.scalars(query))
    return found


def record_tasks(
    session: Session, desk: Desk, project_id: int, task_ids: Mapping[str, int]
) -> None:
    """Record under which task of which project each question stands at a desk of its site."""
    add_new(
        session,
        [
            SiteTask(question_id=question_id, desk=desk, project_id=project_id, task_id=task_id)
            for question_id, task_id in task_ids.items()
        ],
    )


def tasks_of_project(session: Session, site: str, project_id: int) -> dict[str, int]:
    """The task of each question that stands in a project of `site`."""
    of_project = SiteTask.project_id == project_id
    found: dict[str, int] = {}
    for ids in ranges(session, SiteTask.question_id, of_project):
        query = (
            select(SiteTask.question_id, SiteTask.task_id)
            .join(Question, Question.id == SiteTask.question_id)
            .where(of_project, ids.holds(SiteTask.question_id), ids.holds(Question.id))
            .where(Question.site == site, ~is_withdrawn())
        )
        found.update(session.execute(query).tuples().all())
    return found


def move_tasks(session: Session, desk: Desk, project_id: int, task_ids: Mapping[str, int]) -> None:
    """Record that questions stand under other numbers at a desk: their tasks had gone."""
    for question_id, task_id in task_ids.items():
        session.execute(
            update(SiteTask)
            .where(SiteTask.question_id == question_id, SiteTask.desk == desk)
            .values(project_id=project_id, task_id=task_id)
        )


def projects(session: Session, site: str) -> list[SiteProject]:
    """The projects of a site, by locale, kind and desk."""
    query = select(SiteProject).where(SiteProject.site == site)
    order = (SiteProject.locale, SiteProject.kind, SiteProject.desk)
    return list(session.scalars(query.order_by(*order)))


def record_project(session: Session, project: SiteProject) -> None:
    """Record a project, or that another one took its place."""
    session.merge(project)


def questions(session: Session, ids: Sequence[str]) -> dict[str, Question]:
    found: dict[str, Question] = {}
    for chunk in chunks(ids, PAGE):
        for question in session.scalars(select(Question).where(Question.id.in_(chunk))):
            found[question.id] = question
    return found


def undecided_questions(session: Session, locale: str | None = None) -> list[Question]:
    """Questions that wait for a decision; neither gold questions nor withdrawn ones do."""
    query = select(Question).where(is_open(Question), ~is_withdrawn()).order_by(Question.id)
    return list(
        session.scalars(query if locale is None else query.where(Question.locale == locale))
    )


def gold_questions(session: Session) -> dict[str, Question]:
    """Every gold question ever asked."""
    query = select(Question).where(Question.expected.is_not(None)).order_by(Question.id)
    return {question.id: question for question in session.scalars(query)}


def questions_about(session: Session, locale: str, kind: str) -> list[Question]:
    """Every question of one kind ever asked in a locale."""
    of_kind = (Question.locale == locale, Question.kind == kind)
    return [
        question
        for ids in ranges(session, Question.id, *of_kind)
        for question in session.scalars(
            select(Question).where(*of_kind, ids.holds(Question.id)).order_by(Question.id)
        )
    ]


def answered(session: Session) -> list[tuple[str, str]]:
    """The locales and kinds of question that somebody has answered."""
    kinds = select(Question.locale, Question.kind).distinct()
    return [
        (locale, kind)
        for locale, kind in session.execute(kinds.order_by(Question.locale, Question.kind))
        if session.scalar(
            select(Answer.id)
            .join(Question, Question.id == Answer.question_id)
            .where(Question.locale == locale, Question.kind == kind)
            .limit(1)
        )
    ]


def asked_on(session: Session, site: str) -> list[Question]:
    """Every question of a site that stands at one of its desks."""
    stands = exists().where(SiteTask.question_id == Question.id)
    query = select(Question).where(Question.site == site, stands)
    return list(session.scalars(query.order_by(Question.id)))


def counts(session: Session, site: str, locale: str) -> tuple[int, int]:
    """How many questions were asked in a locale of a site, and how many gold ones besides.

    What was accepted without asking is not among them, unless it is audited.
    """
    query = select(func.count()).select_from(Question)
    of_locale = query.where(Question.site == site, Question.locale == locale, ~_needs_no_answer())
    n_gold = session.scalar(of_locale.where(Question.expected.is_not(None))) or 0
    return (session.scalar(of_locale) or 0) - n_gold, n_gold


def annotators(session: Session, site: str, locale: str) -> list[str]:
    """Who has answered questions of a site's locale."""
    of_locale = (Question.site == site, Question.locale == locale)
    found: set[str] = set()
    for ids in ranges(session, Question.id, *of_locale):
        query = (
            select(Answer.annotator)
            .join(Question, Question.id == Answer.question_id)
            .where(*of_locale, ids.holds(Question.id), ids.holds(Answer.question_id))
        )
        found.update(session.scalars(query.distinct()))
    return sorted(found)


def decided(
    session: Session, locale: str | None = None, kind: str | None = None
) -> list[tuple[Question, Decision]]:
    """Every question, of a locale and kind or of all, on which a decision stands, with that."""
    conditions = [
        *([Question.locale == locale] if locale is not None else []),
        *([Question.kind == kind] if kind is not None else []),
    ]
    found = [
        pair
        for ids in ranges(session, Question.id, *conditions)
        for pair in session.execute(
            select(Question, Decision)
            .join(Decision, Decision.question_id == Question.id)
            .where(*conditions, ids.holds(Question.id), ids.holds(Decision.question_id))
            .where(decision_stands())
        ).tuples()
    ]
    return sorted(found, key=lambda pair: pair[1].id)


def standing(session: Session, beginning: str) -> list[Decision]:
    """The decisions that stand whose identities, hexadecimal digits, begin with `beginning`."""
    query = select(Decision).where(Decision.id.between(beginning, f"{beginning}g"))
    return list(session.scalars(query.where(decision_stands()).order_by(Decision.id)))


def behind(session: Session, decision_ids: Sequence[str]) -> dict[str, tuple[Question, Decision]]:
    """The question and the decision of each of `decision_ids`."""
    found: dict[str, tuple[Question, Decision]] = {}
    for chunk in chunks(decision_ids):
        query = select(Question, Decision).join(Decision, Decision.question_id == Question.id)
        rows = session.execute(query.where(Decision.id.in_(chunk)))
        found.update((decision.id, (question, decision)) for question, decision in rows)
    return found


def outcomes_since(
    session: Session, passage: int, kinds: Sequence[QuestionKind]
) -> list[tuple[str, str, int]]:
    """How often annotators decided questions of `kinds` in a locale in a way, since a passage.

    By locale and kind of decision. What somebody ruled by hand does not count, nor what was
    accepted without asking.
    """
    query = (
        select(Question.locale, Decision.kind, func.count())
        .join(Decision, Decision.question_id == Question.id)
        .where(decision_stands(), Question.kind.in_(kinds))
        .where(Decision.reason.is_(None), Decision.model_id.is_(None))
        .where(Decision.passage >= passage)
        .group_by(Question.locale, Decision.kind)
        .order_by(Question.locale, Decision.kind)
    )
    return list(session.execute(query).tuples())


def pulled_through(session: Session, site: str, project_id: int) -> dt.datetime | None:
    """Up to which moment the answers in a site's project have been read."""
    query = select(Pull.through).where(Pull.site == site, Pull.project_id == project_id)
    return session.scalar(query.order_by(Pull.through.desc()).limit(1))


def record_pull(session: Session, site: str, project_id: int, through: dt.datetime) -> None:
    add_new(session, [Pull(site=site, project_id=project_id, through=through)])


def answers_to(session: Session, question_ids: Sequence[str]) -> dict[str, list[Answer]]:
    """Every answer ever given to each of `question_ids`, oldest revision first."""
    asked = (Answer.question_id.in_(chunk) for chunk in chunks(question_ids, PAGE))
    return _by_question(session, asked)


def every_answer(session: Session) -> dict[str, list[Answer]]:
    """Every answer ever given, by its question, oldest revision first."""
    pages = (ids.holds(Answer.question_id) for ids in ranges(session, Answer.question_id))
    return _by_question(session, pages)


def _by_question(
    session: Session, conditions: Iterable[ColumnElement[bool]]
) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = defaultdict(list)
    for condition in conditions:
        query = select(Answer).where(condition).order_by(Answer.annotation, Answer.revision)
        for answer in session.scalars(query):
            found[answer.question_id].append(answer)
    return found


def add_answers(session: Session, answers: Sequence[Answer]) -> int:
    return add_new(session, answers)


def is_withdrawn() -> ColumnElement[bool]:
    """True of a `Question` that nobody is asked any more."""
    return exists().where(WithdrawnQuestion.question_id == Question.id)


def withdrawn_questions(session: Session) -> set[str]:
    """The questions that nobody is asked any more."""
    return set(session.scalars(select(WithdrawnQuestion.question_id)))


def decision_stands() -> ColumnElement[bool]:
    """True of a `Decision` that no other supersedes."""
    later = aliased(Decision)
    return ~exists().where(later.supersedes_id == Decision.id)


def current_decisions(session: Session, *, question_ids: Sequence[str]) -> list[Decision]:
    """The decisions that stand on some questions."""
    query = select(Decision).where(decision_stands(), Decision.question_id.in_(question_ids))
    return list(session.scalars(query.order_by(Decision.id)))


def is_open(question: type[Question]) -> ColumnElement[bool]:
    """True of a question that has not been decided; a gold question never is, and is not open.

    One that was accepted without asking people is open again when that is undone.
    """
    says_something = or_(Decision.model_id.is_(None), is_accepted())
    return and_(
        question.expected.is_(None),
        ~exists().where(Decision.question_id == question.id, says_something),
    )


def is_accepted() -> ColumnElement[bool]:
    """True of a `Decision` that stands and was made without asking people."""
    return and_(
        Decision.model_id.is_not(None), Decision.kind != DecisionKind.UNDONE, decision_stands()
    )


def _needs_no_answer() -> ColumnElement[bool]:
    """True of a `Question` that was accepted without asking people, and that is not audited."""
    return and_(
        exists().where(Decision.question_id == Question.id, is_accepted()),
        ~exists().where(Audit.question_id == Question.id),
    )


def _stands_at(desk: Desk, ids: Range = EVERYTHING) -> ColumnElement[bool]:
    return exists().where(
        SiteTask.question_id == Question.id,
        ids.holds(SiteTask.question_id),
        SiteTask.desk == desk,
    )


def add_decisions(session: Session, new: Sequence[Decision]) -> int:
    """Record decisions, as made after the last passage through the gate; how many were new."""
    passage = last_passage(session)
    for decision in new:
        decision.passage = passage
    return add_new(session, new)
