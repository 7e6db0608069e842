"""A drift that was measured is not measured again until something about it is another."""

from dataclasses import replace

import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL, PREFECT_LOCAL_STORAGE_PATH, temporary_settings

import tasks.drift
from catalog import models
from tasks.drift import Sides, content_of, drift_between
from tasks.settings import Settings
from tests.flows.world import LOCALE, World

SIDES = Sides("model", "de-DE", ["a", "b"], ["p", "p"], ["c"], ["q"], 0)


@pytest.mark.parametrize(
    "change",
    [
        {"model_id": "other"},
        {"locale": "sv-SE"},
        {"learnt": ["a", "c"]},
        {"learnt_products": ["p", "q"]},
        {"learnt": ["a"], "new": ["b", "c"]},
        {"new_products": ["p"]},
        {"seed": 1},
    ],
    ids=str,
)
def test_whatever_a_drift_depends_on_makes_it_another(change: dict[str, object]) -> None:
    assert content_of(None, {"sides": SIDES}) == content_of(None, {"sides": replace(SIDES)})
    assert content_of(None, {"sides": SIDES}) != content_of(
        None,
        {"sides": replace(SIDES, **change)},  # type: ignore[arg-type]
    )


def test_the_same_drift_is_measured_once(
    settings: Settings, prefect: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.made(settings)
    with settings.catalog.read() as transaction:
        champion = models.champion(transaction)
    assert champion is not None
    learnt = [image for shown in world.listed.values() for image in shown]
    new = [image for shown in world.new.values() for image in shown]
    sides = Sides(champion.id, LOCALE, learnt, learnt, new, new, 0)
    measured = []
    really = tasks.drift.drift
    monkeypatch.setattr(
        tasks.drift,
        "drift",
        lambda *given, **options: measured.append(1) or really(*given, **options),
    )

    @flow
    def twice() -> list[dict[str, object]]:
        return [drift_between(sides), drift_between(sides)]

    storage = settings.data / "results"
    with temporary_settings(
        {PREFECT_API_URL: prefect.servers.prefect_api, PREFECT_LOCAL_STORAGE_PATH: storage}
    ):
        first, second = twice()

    assert first == second
    assert first["n_new"] == len(new)
    assert measured == [1]
