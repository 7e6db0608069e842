"""Models in the catalogue: challengers, the champion, and why it is the champion."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.database import add_new, one_at_a_time
from catalog.identity import digest
from catalog.schema import Model, Promotion, TrainingSet


class ChampionChanged(RuntimeError):
    """Another model became champion while this one was compared."""


class NoSuchModel(RuntimeError):
    """No single model is meant."""


def model_id(training_set: TrainingSet, config: dict[str, Any]) -> str:
    """The identity of the model that `config` makes of `training_set`."""
    return digest("model", training_set.digest, json.dumps(config, sort_keys=True))


def model(session: Session, identity: str) -> Model | None:
    return session.get(Model, identity)


def named(session: Session, beginning: str) -> Model:
    """The model whose identity begins so; raises `NoSuchModel` where that is not one model."""
    begins = Model.id.startswith(beginning, autoescape=True)
    found = list(session.scalars(select(Model).where(begins)))
    if len(found) != 1:
        raise NoSuchModel(
            f"{len(found)} models begin with {beginning!r}: `groundtruth models list` shows them;"
            " give enough of the first column to name one"
        )
    return found[0]


def record_model(session: Session, model: Model) -> None:
    add_new(session, [model])


def learnt_from(session: Session, versions: Collection[int]) -> list[Model]:
    """The models that have learnt from one of these training set versions, oldest first.

    They were trained on it, or started from a model that had learnt from it.
    """
    found: dict[str, Model] = {}
    for each in models(session):
        if each.training_set in versions or started_from(each) in found:
            found[each.id] = each
    return list(found.values())


def started_from(model: Model) -> str | None:
    """The model whose weights the training of `model` started from, if any."""
    start: str | None = model.config.get("start")
    return start


def models(session: Session) -> list[Model]:
    """Every model, oldest first."""
    return list(session.scalars(select(Model).order_by(Model.trained_at, Model.id)))


def training_set_of(session: Session, model: Model) -> TrainingSet:
    """The version that a model was trained on."""
    return session.get_one(TrainingSet, model.training_set)


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
    """Every comparison and rollback so far, oldest first."""
    return list(session.scalars(select(Promotion).order_by(Promotion.number)))


def outcome(promotion: Promotion) -> str:
    """What became of the challenger, in a few words."""
    if promotion.by is not None:
        return "gone back to"
    return "promoted" if promotion.promoted else "not promoted"


def settled(
    past: Sequence[Promotion], challenger_id: str, champion_id: str | None, holdout: str
) -> Promotion | None:
    """What was decided of a challenger before, if that still holds: nothing is decided twice.

    It is champion already, a person went back from it, or the two were compared on this holdout.
    """
    if challenger_id == champion_id:
        return next(row for row in reversed(past) if row.promoted)
    for row in reversed(past):
        if row.by is not None and row.champion_id == challenger_id:
            return row
    return _compared(past, challenger_id, champion_id, holdout)


def record_promotion(session: Session, decided: Promotion) -> Promotion:
    """Record a comparison or a rollback under the next number.

    The same comparison is recorded once, whoever comes second. Raises `ChampionChanged` where the
    champion is no longer the one that was compared with.
    """
    one_at_a_time(session, "promotion")
    past = promotions(session)
    if decided.holdout is not None:
        known = _compared(past, decided.challenger_id, decided.champion_id, decided.holdout)
        if known is not None:
            return known
    standing = champion(session)
    if (standing.id if standing else None) != decided.champion_id:
        raise ChampionChanged(
            f"model {standing.id if standing else 'none'} has become champion meanwhile: run the"
            " same command again, and it is compared with that one"
        )
    decided.number = past[-1].number + 1 if past else 1
    session.add(decided)
    session.flush()
    return decided


def before(session: Session, champion_id: str) -> Model:
    """The model that `champion_id` once took the place of; raises `NoSuchModel` for the first."""
    for row in promotions(session):
        if row.promoted and row.by is None and row.challenger_id == champion_id:
            earlier = model(session, row.champion_id) if row.champion_id else None
            if earlier is not None:
                return earlier
    raise NoSuchModel(
        f"no model was champion before {champion_id[:8]}: there is nothing to go back to"
    )


def was_champion(session: Session, identity: str) -> bool:
    """Whether a model has ever been champion."""
    return any(row.promoted and row.challenger_id == identity for row in promotions(session))


def _compared(
    past: Sequence[Promotion], challenger_id: str, champion_id: str | None, holdout: str
) -> Promotion | None:
    """The comparison of two models on one state of the holdout."""
    return next(
        (
            row
            for row in past
            if (row.challenger_id, row.champion_id, row.holdout)
            == (challenger_id, champion_id, holdout)
        ),
        None,
    )
