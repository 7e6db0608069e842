"""A model is made once, measured, described on a card, and can be gone back from."""

import pytest

from catalog import measurements, models
from catalog.schema import Model, Promotion
from deployments.sample import Sample
from flows.collect import collect
from flows.ingest import ingest
from flows.retrain import retrain
from flows.retrain_when_due import retrain_when_due
from tasks.promote import Comparison
from tasks.retrain import newest_training_set, train
from tasks.settings import load_settings
from tests.flows.conftest import Workspace


@pytest.fixture
def first(workspace: Workspace, sample: Sample) -> Comparison:
    """The first model, made of a labelled manifest."""
    ingest(str(sample.labelled))
    collect()
    return retrain()


def test_a_model_is_measured_in_every_locale_and_has_a_card(first: Comparison) -> None:
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        [promotion] = models.promotions(transaction)
        measured = measurements.newest(transaction, first.challenger.id)
    assert measured is not None
    assert set(measured.figures["per_locale"]) == {"ar-EG", "en-US"}
    placed = measurements.read(settings.blob_store, measured)
    assert len(placed.image_ids) == measured.figures["overall"]["n_images"] > 0
    card = settings.blob_store.get(f"models/{first.challenger.id}/cards/{promotion.number}.html")
    assert promotion.reason in card.decode()
    assert not (settings.data / "training" / first.challenger.id).exists()


@pytest.mark.parametrize("warm", ["true", "false"])
def test_the_same_version_and_settings_are_trained_on_once(
    first: Comparison, warm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDTRUTH_RETRAIN__WARM_START", warm)
    load_settings.cache_clear()
    assert train.fn(newest_training_set.fn()).id == first.challenger.id
    assert retrain().promotion.number == first.promotion.number
    assert retrain_when_due() is None


def test_one_command_goes_back_and_the_next_one_forward_again(
    workspace: Workspace, first: Comparison
) -> None:
    status, printed = workspace.groundtruth("models", "rollback", "--reason", "to see")
    assert status == 1
    assert "nothing to go back to" in printed
    second = Model(id="f" * 32, training_set=1, location="none", config={}, metrics={})
    with workspace.settings.catalog.begin() as transaction:
        models.record_model(transaction, second)
        models.record_promotion(
            transaction,
            Promotion(
                number=0,
                challenger_id=second.id,
                champion_id=first.challenger.id,
                promoted=True,
                reason="better",
                holdout="state",
            ),
        )
    status, printed = workspace.groundtruth("models", "rollback", "--by", "ann", "--reason", "slow")
    assert status == 0, printed
    status, printed = workspace.groundtruth("models", "list")
    assert f"champion: {first.challenger.id[:8]}" in printed
    status, printed = workspace.groundtruth("models", "show")
    assert status == 0, printed
    assert "Where not to trust it" in printed
