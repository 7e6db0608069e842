"""What vendors are measured by: everything asked, answered, decided and accepted, as columns.

Each `Part` holds rows of one table with what never changes of the rows that they refer to, so that
what was added on a day that is over can be kept as it is. Rows refer to one another by 64 bits
(`keys_of`), of which two of ten million are the same once in 300,000 catalogues. What is compared
only with what else concerns the same question has 32 bits.
"""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from catalog.database import chunks
from catalog.schema import (
    KIND_OF,
    NO_SITE,
    Answer,
    AnswerState,
    Decision,
    DecisionKind,
    GateRun,
    Judgement,
    Question,
    QuestionKind,
    Removal,
    SiteTask,
    Verdict,
    VerifiedLabel,
    WithdrawnQuestion,
)

Row: TypeAlias = Sequence[Any]

NAME = pa.dictionary(pa.int32(), pa.string())
KEY = pa.uint64()
SHORT_KEY = pa.uint32()
"""Tells apart what concerns one question."""
TIME = pa.int64()
"""Microseconds since 1970, UTC."""
COUNT = pa.int16()
NOTHING = 0
"""The key of what is not there."""


@dataclass(frozen=True)
class Part:
    """Rows of one kind, in the order in which they were added.

    Attributes
    ----------
    schema
        The columns; `id`, where there is one, is the row's own.
    added
        When a row was added.
    query
        The rows, without order and bounds.
    read
        The values of the columns, from a row of the query.
    ordered_by
        The column that puts the rows in order, if any.
    """

    name: str
    schema: pa.Schema
    added: InstrumentedAttribute[dt.datetime]
    query: Callable[[], Select[Any]]
    read: Callable[[Row], Row]
    ordered_by: str | None = None


@dataclass(frozen=True)
class Log:
    """Every part as a data frame: keys uint64, moments int64 (microseconds, UTC), names categories.

    The rows of `answers` are in the order in which they were given. `questions` are those that
    somebody was asked; `tasks` say when a question reached a desk. `acceptances` count, for each
    decision of people and passage through the gate, the labels that were accepted and refused, and
    `escapes` the accepted ones that turned out wrong.
    """

    questions: pd.DataFrame
    tasks: pd.DataFrame
    answers: pd.DataFrame
    decisions: pd.DataFrame
    acceptances: pd.DataFrame
    escapes: pd.DataFrame
    withdrawals: pd.DataFrame


def read(session: Session, part: Part, *conditions: ColumnElement[bool]) -> pa.Table:
    """The rows of a part for which the conditions are true."""
    query = part.query().where(*conditions)
    batches = [
        _batch(part, page)
        for page in session.execute(query.execution_options(yield_per=50_000)).partitions()
    ]
    return pa.Table.from_batches(batches, part.schema)


def log_of(session: Session) -> Log:
    """All of every part, from the catalogue itself, with the identities of rows."""
    tables = {part: read(session, part) for part in PARTS}
    return Log(**{part.name: frame(part, len(table), [table]) for part, table in tables.items()})


def frame(part: Part, n_rows: int, tables: Iterable[pa.Table]) -> pd.DataFrame:
    """The rows of `tables` together, `n_rows` in all, in the order of the part.

    Each column has its place in memory from the start, and a table is let go before the next is
    read: ten million answers are a large part of the memory.
    """
    columns: dict[str, NDArray[Any]] = {}
    names: dict[str, dict[str, int]] = defaultdict(dict)
    texts: dict[str, list[pa.Array]] = defaultdict(list)
    begin = 0
    for table in tables:
        for name in table.column_names:
            column = table[name].combine_chunks()
            if pa.types.is_string(column.type):
                texts[name].append(column)
                continue
            if pa.types.is_dictionary(column.type):
                values = _codes(column, names[name])
            else:
                values = column.to_numpy(zero_copy_only=False)
                if column.type == COUNT:
                    values = values.astype(_narrowest(values))
            whole = columns.setdefault(name, np.empty(n_rows, values.dtype))
            if not np.can_cast(values.dtype, whole.dtype):
                whole = columns[name] = whole.astype(values.dtype)
            whole[begin : begin + len(values)] = values
        begin += len(table)
    found: dict[str, Any] = {
        name: pd.array(pa.chunked_array(pieces), dtype=pd.ArrowDtype(pa.string()))
        for name, pieces in texts.items()
    }
    order = None
    if part.ordered_by is not None:
        order = np.argsort(columns[part.ordered_by], kind="stable")
        found = {name: texts[order] for name, texts in found.items()}
    for name in list(columns):
        values = columns.pop(name)
        values = values if order is None else values[order]
        found[name] = (
            pd.Categorical.from_codes(values, pd.Index(list(names[name]), dtype=object))
            if name in names
            else values
        )
    return pd.DataFrame(found, copy=False)


def _codes(column: pa.DictionaryArray, numbers: dict[str, int]) -> NDArray[np.signedinteger]:
    """The number of each name, -1 where there is none; new names get the next numbers."""
    known = [numbers.setdefault(name, len(numbers)) for name in column.dictionary.to_pylist()]
    codes = np.array([*known, -1], np.min_scalar_type(-1 - len(numbers)))
    found: NDArray[np.signedinteger] = codes[column.indices.fill_null(-1).to_numpy()]
    return found


def _narrowest(counts: NDArray[np.int16]) -> np.dtype[np.signedinteger]:
    """The least type that holds the counts: few sheets have more than 127 pictures."""
    return np.min_scalar_type(-1 - counts.max(initial=0))


def keys_of(identities: Sequence[str | None]) -> NDArray[np.uint64]:
    """The key of each identity; `NOTHING` for None."""
    names = np.array(["" if each is None else each for each in identities], dtype=object)
    keys = pd.util.hash_array(names, categorize=False)
    keys[names == ""] = NOTHING
    return keys


def labels_of(session: Session, decision_ids: Collection[str]) -> list[tuple[str, str]]:
    """Each label that names one of the decisions, with the decision."""
    found: list[tuple[str, str]] = []
    for chunk in chunks(sorted(decision_ids)):
        query = select(VerifiedLabel.id, Decision.id).join(
            Decision, Decision.id == VerifiedLabel.decision_id
        )
        found.extend(session.execute(query.where(Decision.id.in_(chunk))).tuples())
    return sorted(found)


def _batch(part: Part, rows: Iterable[Row]) -> pa.RecordBatch:
    columns = zip(*map(part.read, rows), strict=True)
    return pa.record_batch(
        [_array(field, values) for field, values in zip(part.schema, columns, strict=True)],
        schema=part.schema,
    )


def _array(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    if field.type == KEY:
        return pa.array(keys_of(values), KEY)
    if field.type == SHORT_KEY:
        return pa.array(keys_of(values).astype(np.uint32), SHORT_KEY)
    if field.type == TIME:
        return pa.array(values, pa.timestamp("us", tz="UTC")).cast(TIME)
    return pa.array(values, field.type)


ABOUT = (("site", NAME), ("locale", NAME), ("kind", NAME))


def _about() -> tuple[InstrumentedAttribute[str], ...]:
    return Question.site, Question.locale, Question.kind


# --- questions ------------------------------------------------------------------------------------


def _questions() -> Select[Any]:
    is_gold = Question.expected.is_not(None)
    return select(Question.id, *_about(), Question.asked_at, is_gold).where(
        Question.site != NO_SITE
    )


QUESTIONS = Part(
    "questions",
    pa.schema(
        [("id", pa.string()), ("question", KEY), *ABOUT, ("asked_at", TIME), ("gold", pa.bool_())]
    ),
    Question.asked_at,
    _questions,
    lambda row: (row[0], *row),
)

TASKS = Part(
    "tasks",
    pa.schema([("question", KEY), ("desk", NAME), ("pushed_at", TIME)]),
    SiteTask.pushed_at,
    lambda: select(SiteTask.question_id, SiteTask.desk, SiteTask.pushed_at),
    tuple,
)

WITHDRAWALS = Part(
    "withdrawals",
    pa.schema([("question", KEY), ("withdrawn_at", TIME)]),
    WithdrawnQuestion.withdrawn_at,
    lambda: select(WithdrawnQuestion.question_id, WithdrawnQuestion.withdrawn_at),
    tuple,
)


# --- answers --------------------------------------------------------------------------------------


def _answers() -> Select[Any]:
    plain = (
        *(Answer.id, Answer.question_id, *_about(), Answer.annotator, Answer.annotation),
        *(Answer.revision, Answer.desk, Answer.state, Answer.verdict, Answer.seconds),
        *(Answer.answered_at, Answer.intruder_ids, Answer.groups, Question.expected),
    )
    return (
        select(*plain, func.json_array_length(Question.image_ids))
        .join(Question, Question.id == Answer.question_id)
        .where(Question.site != NO_SITE)
    )


def _answer(row: Row) -> Row:
    *plain, seconds, answered_at, ticked, groups, expected, n_images = row
    kind, state, verdict = plain[4], plain[9], plain[10]
    given = state == AnswerState.GIVEN and verdict is not None
    said = said_by_answer(kind, verdict, ticked, groups, n_images) if given else None
    known = expected is not None
    right = known and given and _is_right(expected, verdict, ticked)
    places = _places(expected, verdict, ticked, n_images) if known and given else (0, 0, 0, 0)
    taken = math.nan if seconds is None else seconds
    return (*plain, taken, answered_at, said, known, right, *places)


def said_by_answer(
    kind: str, verdict: str, ticked: Sequence[str], groups: Sequence[Sequence[str]], n_images: int
) -> str:
    """What an answer says of its question, as `said_by_decision` would say the same."""
    outcome = KIND_OF[verdict]
    if kind == QuestionKind.SPLIT and outcome == DecisionKind.SAME:
        products = [group for group in groups if len(group) > 1]
        return _said_of_groups(products) if products else DecisionKind.UNSURE
    if kind == QuestionKind.MERGE or outcome != DecisionKind.SAME:
        return outcome
    if len(ticked) == n_images:
        return DecisionKind.DIFFERENT if kind == QuestionKind.ATTACH else DecisionKind.UNSURE
    return _said_of_one(ticked)


def said_by_decision(
    kind: str, outcome: str, groups: Sequence[Sequence[str]], removed: Sequence[str]
) -> str:
    """What a decision says: how the images are sorted, which don't belong, or only its kind."""
    if kind == QuestionKind.SPLIT and groups:
        return _said_of_groups(groups)
    if kind == QuestionKind.MERGE or outcome != DecisionKind.SAME:
        return outcome
    return _said_of_one(removed)


def _said_of_groups(groups: Sequence[Sequence[str]]) -> str:
    return " / ".join(sorted(" ".join(sorted(group)) for group in groups))


def _said_of_one(removed: Sequence[str]) -> str:
    return " ".join([DecisionKind.SAME, *sorted(removed)])


def _is_right(expected: dict[str, Any], verdict: str, ticked: Sequence[str]) -> bool:
    """Whether the answer to a gold question says what is expected of it."""
    return verdict == expected["verdict"] and set(ticked) == set(expected.get("intruder_ids", ()))


def _places(
    expected: dict[str, Any], verdict: str, ticked: Sequence[str], n_images: int
) -> tuple[int, int, int, int]:
    """Intruders, those found, members, those left alone; zeros where pictures aren't spoken of."""
    intruders = set(expected.get("intruder_ids", ()))
    n_members = n_images - len(intruders)
    if verdict == Verdict.DIFFERENT:
        return len(intruders), len(intruders), n_members, 0
    if verdict != Verdict.CONFIRM:
        return 0, 0, 0, 0
    out = set(ticked)
    return len(intruders), len(out & intruders), n_members, n_members - len(out - intruders)


ANSWERS = Part(
    "answers",
    pa.schema(
        [
            *(("id", pa.string()), ("question", KEY), *ABOUT),
            *(("annotator", NAME), ("annotation", SHORT_KEY), ("revision", COUNT), ("desk", NAME)),
            *(("state", NAME), ("verdict", NAME), ("seconds", pa.float64()), ("answered_at", TIME)),
            *(("said", SHORT_KEY), ("gold", pa.bool_()), ("right", pa.bool_())),
            *(("intruders", COUNT), ("found", COUNT), ("members", COUNT), ("spared", COUNT)),
        ]
    ),
    Answer.pulled_at,
    _answers,
    _answer,
    "answered_at",
)


# --- decisions ------------------------------------------------------------------------------------


def _decisions() -> Select[Any]:
    return (
        select(
            *(Decision.id, Decision.supersedes_id, Decision.question_id, *_about()),
            *(Decision.kind, Decision.decided_at, Decision.model_id.is_not(None)),
            *(Decision.groups, Decision.removed_ids),
        )
        .join(Question, Question.id == Decision.question_id)
        .where(Question.site != NO_SITE)
    )


def _decision(row: Row) -> Row:
    key, *plain, groups, removed = row
    kind, outcome = plain[4], plain[5]
    return key, key, *plain, said_by_decision(kind, outcome, groups, removed)


DECISIONS = Part(
    "decisions",
    pa.schema(
        [
            *(("id", pa.string()), ("decision", KEY), ("supersedes", KEY), ("question", KEY)),
            *(*ABOUT, ("outcome", NAME), ("decided_at", TIME), ("by_model", pa.bool_())),
            ("said", SHORT_KEY),
        ]
    ),
    Decision.decided_at,
    _decisions,
    _decision,
    "decided_at",
)


# --- labels ---------------------------------------------------------------------------------------


def counts_as_accepted() -> Any:
    """True of a `Judgement` that accepts a `VerifiedLabel`, the first one of its question's image.

    A label that only says anew what an accepted one of the same question said is no more work.
    """
    before, before_decision, judged = (
        aliased(VerifiedLabel),
        aliased(Decision),
        aliased(Judgement),
    )
    said_before = (
        exists()
        .where(before.id == VerifiedLabel.supersedes_id)
        .where(before_decision.id == before.decision_id)
        .where(before_decision.question_id == Decision.question_id)
        .where(judged.label_id == before.id, judged.accepted)
    )
    return and_(Judgement.accepted, ~said_before)


def _acceptances() -> Select[Any]:
    counted, refused = (
        func.sum(case((condition, 1), else_=0))
        for condition in (counts_as_accepted(), ~Judgement.accepted)
    )
    return (
        select(Decision.id, Decision.question_id, *_about(), GateRun.judged_at, counted, refused)
        .select_from(GateRun)
        .join(Judgement, Judgement.gate_run_id == GateRun.id)
        .join(VerifiedLabel, VerifiedLabel.id == Judgement.label_id)
        .join(Decision, Decision.id == VerifiedLabel.decision_id)
        .join(Question, Question.id == Decision.question_id)
        .where(Question.site != NO_SITE, Decision.model_id.is_(None))
        .group_by(Decision.id, Decision.question_id, *_about(), GateRun.id, GateRun.judged_at)
    )


ACCEPTANCES = Part(
    "acceptances",
    pa.schema(
        [
            *(("id", pa.string()), ("decision", KEY), ("question", KEY), *ABOUT),
            *(("judged_at", TIME), ("accepted", COUNT), ("refused", COUNT)),
        ]
    ),
    GateRun.judged_at,
    _acceptances,
    lambda row: (row[0], *row),
)


def turned_out_wrong(wrong: Any, right: Any) -> Any:
    """True where the label `right` says that the label `wrong`, which it supersedes, was wrong.

    It withdraws it, and not because the image had to go, or another decision says that the image
    shows another product. A product that is merged with another one was not wrong.
    """
    removed = exists().where(
        Removal.image_id == wrong.image_id, Removal.requested_at <= right.labelled_at
    )
    other_product = and_(
        right.decision_id.is_distinct_from(wrong.decision_id),
        right.product_id.is_distinct_from(wrong.product_id),
    )
    return and_(right.supersedes_id == wrong.id, or_(right.withdrawn, other_product), ~removed)


LATER = aliased(VerifiedLabel)


def _escapes() -> Select[Any]:
    accepted = exists().where(Judgement.label_id == VerifiedLabel.id, Judgement.accepted)
    return (
        select(VerifiedLabel.decision_id, LATER.labelled_at, func.count())
        .select_from(LATER)
        .join(VerifiedLabel, turned_out_wrong(VerifiedLabel, LATER))
        .join(Decision, Decision.id == VerifiedLabel.decision_id)
        .where(accepted, Decision.model_id.is_(None))
        .group_by(VerifiedLabel.decision_id, LATER.labelled_at)
    )


ESCAPES = Part(
    "escapes",
    pa.schema([("decision", KEY), ("found_at", TIME), ("escaped", COUNT)]),
    LATER.labelled_at,
    _escapes,
    tuple,
)

PARTS = (QUESTIONS, TASKS, ANSWERS, DECISIONS, ACCEPTANCES, ESCAPES, WITHDRAWALS)
