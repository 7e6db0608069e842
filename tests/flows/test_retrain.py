"""A model is made once, measured, described on a card, and can be gone back from."""

import shutil
import signal
import time
from typing import Any

import pytest

from catalog import measurements, models
from catalog.schema import Model, Promotion
from clustering import Encoder
from clustering.storage import DESCRIPTION
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
    assert not retrain_when_due().due


@pytest.mark.parametrize(("trained", "n_left"), [("hilander", 1), ("encoder", 0)])
def test_what_was_trained_before_a_kill_is_not_trained_again(
    workspace: Workspace,
    sample: Sample,
    trained: str,
    n_left: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ingest(str(sample.labelled))
    collect()
    folder = workspace.settings.data / "training"
    shutil.rmtree(folder, ignore_errors=True)  # what other tests that killed left
    process = workspace.start("retrain")
    while not list(folder.glob(f"*/*/{trained}/{DESCRIPTION}")):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    fits: list[Encoder] = []
    fit = Encoder.fit

    def counted(self: Encoder, *arguments: Any, **options: Any) -> Encoder:
        fits.append(self)
        return fit(self, *arguments, **options)

    monkeypatch.setattr(Encoder, "fit", counted)
    comparison = retrain()
    assert len(fits) == n_left
    assert comparison.promotion.promoted
    assert not (folder / comparison.challenger.id).exists()


def test_a_champion_whose_weights_do_not_fit_is_not_started_from(
    first: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDTRUTH_RETRAIN__WARM_START", "true")
    monkeypatch.setenv("GROUNDTRUTH_ENCODER__DIM", "64")
    load_settings.cache_clear()
    narrower = retrain().challenger
    assert narrower.config["encoder"]["dim"] == 64
    assert "start" not in narrower.config


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
