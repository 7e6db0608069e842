"""Models in the catalogue: challengers, the champion, and why it is the champion."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.database import add_new
from catalog.identity import digest
from catalog.schema import Model, Promotion, TrainingSet


def model_id(training_set: TrainingSet, config: dict[str, Any]) -> str:
    """The identity of the model that `config` makes of `training_set`."""
    return digest("model", training_set.digest, json.dumps(config, sort_keys=True))


def model(session: Session, identity: str) -> Model | None:
    return session.get(Model, identity)


def record_model(session: Session, model: Model) -> None:
    add_new(session, [model])


def trained_on(session: Session, versions: Collection[int]) -> list[Model]:
    """The models trained on one of these training set versions, oldest first."""
    query = select(Model).where(Model.training_set.in_(versions))
    return list(session.scalars(query.order_by(Model.trained_at, Model.id)))


def champion(session: Session) -> Model | None:
    """The model of the last promotion."""
    return session.scalar(
        select(Model)
        .join(Promotion, Promotion.challenger_id == Model.id)
        .where(Promotion.promoted)
        .order_by(Promotion.number.desc())
        .limit(1)
    )


def promotions(session: Session) -> list[Promotion]:
    """Every comparison so far, oldest first."""
    return list(session.scalars(select(Promotion).order_by(Promotion.number)))


def record_promotion(
    session: Session, challenger: Model, champion: Model | None, *, promoted: bool, reason: str
) -> Promotion:
    """Record the outcome of a comparison."""
    promotion = Promotion(
        number=len(promotions(session)) + 1,
        challenger_id=challenger.id,
        champion_id=champion.id if champion else None,
        promoted=promoted,
        reason=reason,
    )
    session.add(promotion)
    return promotion
