"""Training is due when enough labels are new, or when new images drift; otherwise not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog import models
from catalog.schema import Model, Promotion, TrainingSet
from clustering.drift import Drift
from tasks.drift import LocaleDrift
from tasks.due import training_is_due
from tasks.settings import load_settings
from tests.catalog.rows import Bench
from tests.catalog.test_training_sets import commit, label_products

DRIFT = LocaleDrift("ar-EG", 100, 100, Drift(0.9, 0.005, 20, 20), ())
NO_DRIFT = LocaleDrift("ar-EG", 100, 100, Drift(0.6, 0.2, 20, 20), ())
UNKNOWN = LocaleDrift("ar-EG", 100, 3, None, ())


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The catalogue of the settings, without any server."""
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path))
    load_settings.cache_clear()
    settings = load_settings()
    yield Bench(settings.catalog, settings.blob_store)
    load_settings.cache_clear()


def train_on(bench: Bench, version: TrainingSet) -> None:
    name = f"model {version.version}"
    bench.add(Model(id=name, training_set=version.version, location=name, config={}, metrics={}))
    with bench.catalog.begin() as transaction:
        champion = models.champion(transaction)
        models.record_promotion(
            transaction,
            Promotion(
                number=0,
                challenger_id=name,
                champion_id=champion.id if champion else None,
                promoted=champion is None,
                reason="",
                holdout="state",
            ),
        )


def test_without_labels_there_is_nothing_to_train_on(bench: Bench) -> None:
    assert not training_is_due.fn([]).due


def test_the_first_training_set_makes_it_due(bench: Bench) -> None:
    label_products(bench, 8)
    commit(bench)
    assert training_is_due.fn([]).due


def test_nothing_new_is_not_trained_on_again_even_where_images_drift(bench: Bench) -> None:
    label_products(bench, 8)
    train_on(bench, commit(bench))
    said = training_is_due.fn([DRIFT])
    assert not said.due
    assert said.reason == "0 labels are new or gone since the last model was trained on 18"


def test_enough_new_labels_make_it_due_and_are_counted(bench: Bench) -> None:
    label_products(bench, 8)
    train_on(bench, commit(bench))
    bench.label("Latecomer", bench.ingest("late 1", "late 2"))
    commit(bench)
    said = training_is_due.fn([])
    assert said.due
    assert said.reason.startswith("2 labels are new or gone")
    assert said.reason.endswith("11%")


@pytest.mark.parametrize(("drift", "due"), [(DRIFT, True), (NO_DRIFT, False), (UNKNOWN, False)])
def test_a_few_new_labels_are_enough_where_images_drift(
    bench: Bench, drift: LocaleDrift, due: bool
) -> None:
    label_products(bench, 8)
    train_on(bench, commit(bench))
    bench.label("Latecomer", bench.ingest("late"))
    commit(bench)
    said = training_is_due.fn([drift])
    assert said.due == due
    assert ("ar-EG (AUC 0.90, p 0.005)" in said.reason) == due


@pytest.mark.parametrize(
    ("drifts", "said"),
    [([NO_DRIFT], "and no drift"), ([UNKNOWN], "to tell of drift"), ([], "to tell of drift")],
)
def test_no_drift_is_not_claimed_where_none_could_be_told(
    bench: Bench, drifts: list[LocaleDrift], said: str
) -> None:
    label_products(bench, 8)
    train_on(bench, commit(bench))
    bench.label("Latecomer", bench.ingest("late"))
    commit(bench)
    assert training_is_due.fn(drifts).reason.endswith(said)


def test_labels_that_a_refused_challenger_learnt_from_are_not_new(bench: Bench) -> None:
    label_products(bench, 8)
    train_on(bench, commit(bench))
    bench.label("Latecomer", bench.ingest("late 1", "late 2"))
    train_on(bench, commit(bench))
    assert not training_is_due.fn([]).due
