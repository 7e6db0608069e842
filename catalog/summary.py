"""How far the loop has come: one figure per row of a summary."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.labels import is_current, is_judged
from catalog.models import promotions
from catalog.paging import ranges
from catalog.schema import (
    Answer,
    AnswerState,
    Cluster,
    Desk,
    Image,
    Judgement,
    Model,
    Question,
    RoundStep,
    SetAside,
    SiteTask,
    TrainingSet,
    VerifiedLabel,
)


@dataclass(frozen=True)
class ModelFigures:
    """A model that was compared, and what it scored on the holdout."""

    model_id: str
    training_set: int
    bcubed_f: float
    pairwise_f: float
    promoted: bool
    reason: str


@dataclass(frozen=True)
class Summary:
    """Counts of everything that the catalogue holds, and its models in order of comparison."""

    rounds: int
    images: int
    set_aside: int
    clusters: int
    questions: int
    questions_on_site: int
    answers: int
    human_seconds: float
    labels_accepted: int
    labels_quarantined: int
    training_sets: int
    models: tuple[ModelFigures, ...]


def summarise(session: Session) -> Summary:
    """Count what there is."""

    def count(rows: Any) -> int:
        return session.scalar(select(func.count()).select_from(rows)) or 0

    judged = _judged(session)
    given = select(Answer).where(Answer.state == AnswerState.GIVEN)
    seconds = session.scalar(
        select(func.sum(Answer.seconds)).where(Answer.state == AnswerState.GIVEN)
    )
    return Summary(
        rounds=session.scalar(select(func.max(RoundStep.round))) or 0,
        images=count(Image),
        set_aside=count(SetAside),
        clusters=count(Cluster),
        questions=count(Question),
        questions_on_site=count(select(SiteTask).where(SiteTask.desk == Desk.CROWD).subquery()),
        answers=count(given.subquery()),
        human_seconds=float(seconds or 0),
        labels_accepted=judged[True],
        labels_quarantined=judged[False],
        training_sets=count(TrainingSet),
        models=tuple(
            ModelFigures(
                model_id=model.id,
                training_set=model.training_set,
                bcubed_f=model.metrics["bcubed_f"],
                pairwise_f=model.metrics["pairwise_f"],
                promoted=promotion.promoted,
                reason=promotion.reason,
            )
            for promotion in promotions(session)
            if promotion.by is None
            and (model := session.get(Model, promotion.challenger_id)) is not None
        ),
    )


def _judged(session: Session) -> Counter[bool]:
    """How many current labels the gate has accepted (True) and quarantined (False)."""
    found: Counter[bool] = Counter()
    for ids in ranges(session, VerifiedLabel.id):
        query = (
            select(Judgement.accepted, func.count())
            .join(VerifiedLabel, is_judged(ids))
            .where(ids.holds(VerifiedLabel.id), is_current(VerifiedLabel, ids))
            .group_by(Judgement.accepted)
        )
        found.update(dict(session.execute(query).tuples().all()))
    return found
