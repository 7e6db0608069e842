"""A challenger replaces the champion only when it is better, and the reason is kept either way."""

import pytest

from catalog import models
from catalog.database import add_new
from catalog.schema import Model, TrainingSet
from tasks.retrain import compare
from tests.flows.conftest import Workspace


def record(workspace: Workspace, name: str, bcubed_f: float) -> Model:
    training_set = TrainingSet(
        version=1,
        digest="0" * 64,
        parent=None,
        location="training-sets/0",
        n_images=0,
        n_products=0,
        per_locale={},
    )
    model = Model(id=name, training_set=1, location=name, config={}, metrics={"bcubed_f": bcubed_f})
    with workspace.settings.catalog.begin() as transaction:
        add_new(transaction, [training_set])
        models.record_model(transaction, model)
    return model


def champion(workspace: Workspace) -> str | None:
    with workspace.settings.catalog.begin() as transaction:
        found = models.champion(transaction)
    return found.id if found else None


def test_the_first_model_becomes_the_champion(workspace: Workspace) -> None:
    assert compare.fn(record(workspace, "first", 0.5)).promotion.promoted
    assert champion(workspace) == "first"


@pytest.mark.parametrize(("bcubed_f", "outcome"), [(0.6, "second"), (0.5, "first"), (0.4, "first")])
def test_only_a_better_challenger_replaces_the_champion(
    workspace: Workspace, bcubed_f: float, outcome: str
) -> None:
    compare.fn(record(workspace, "first", 0.5))
    comparison = compare.fn(record(workspace, "second", bcubed_f))
    assert champion(workspace) == outcome
    assert f"BCubed F {bcubed_f:.3f} on the holdout against" in comparison.promotion.reason


def test_a_comparison_that_is_repeated_is_recorded_once(workspace: Workspace) -> None:
    compare.fn(record(workspace, "first", 0.5))
    challenger = record(workspace, "second", 0.4)
    assert compare.fn(challenger).promotion.number == compare.fn(challenger).promotion.number == 2
    with workspace.settings.catalog.begin() as transaction:
        assert len(models.promotions(transaction)) == 2


def test_a_rejected_challenger_leaves_the_champion_for_the_next_one(workspace: Workspace) -> None:
    for name, bcubed_f in (("first", 0.5), ("worse", 0.4), ("between", 0.45), ("better", 0.6)):
        compare.fn(record(workspace, name, bcubed_f))
    assert champion(workspace) == "better"
    with workspace.settings.catalog.begin() as transaction:
        assert [each.champion_id for each in models.promotions(transaction)] == [
            None,
            "first",
            "first",
            "first",
        ]
