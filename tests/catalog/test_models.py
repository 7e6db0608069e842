"""Who is champion: promotions are numbered without a gap, and can be gone back on."""

import threading

import pytest

from catalog import models
from catalog.models import ChampionChanged, NoSuchModel
from catalog.schema import Model, Promotion
from tests.catalog.rows import Bench


def add_models(bench: Bench, *names: str) -> None:
    bench.model()
    for name in names:
        bench.add(Model(id=name, training_set=1, location=name, config={}, metrics={}))


def promotion(challenger: str, champion: str | None, **said: object) -> Promotion:
    content: dict[str, object] = {"promoted": True, "reason": "better", "holdout": "state"}
    content |= said
    return Promotion(number=0, challenger_id=challenger, champion_id=champion, **content)


def record(bench: Bench, decided: Promotion) -> Promotion:
    with bench.catalog.begin() as transaction:
        return models.record_promotion(transaction, decided)


def champion(bench: Bench) -> str | None:
    with bench.catalog.begin() as transaction:
        found = models.champion(transaction)
    return found.id if found else None


def test_the_same_comparison_is_recorded_once(bench: Bench) -> None:
    add_models(bench, "a", "b")
    record(bench, promotion("a", None))
    first = record(bench, promotion("b", "a", promoted=False))
    assert record(bench, promotion("b", "a", promoted=False)).number == first.number == 2


def test_a_comparison_on_a_holdout_that_has_grown_is_another_one(bench: Bench) -> None:
    add_models(bench, "a", "b")
    record(bench, promotion("a", None))
    record(bench, promotion("b", "a", promoted=False))
    assert record(bench, promotion("b", "a", holdout="larger")).number == 3
    assert champion(bench) == "b"


def test_a_comparison_with_a_champion_that_is_none_any_more_is_refused(bench: Bench) -> None:
    add_models(bench, "a", "b", "c")
    record(bench, promotion("a", None))
    record(bench, promotion("b", "a"))
    with pytest.raises(ChampionChanged, match="run the same command again"):
        record(bench, promotion("c", "a"))


def test_of_two_comparisons_at_once_one_is_promoted_and_the_other_told(bench: Bench) -> None:
    names = [f"challenger {number}" for number in range(6)]
    add_models(bench, "a", *names)
    record(bench, promotion("a", None))
    together = threading.Barrier(len(names))
    told: list[str] = []

    def promote(name: str) -> None:
        together.wait()
        try:
            record(bench, promotion(name, "a"))
        except ChampionChanged:
            told.append(name)

    threads = [threading.Thread(target=promote, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == len(names) - 1
    with bench.catalog.begin() as transaction:
        assert [row.number for row in models.promotions(transaction)] == [1, 2]


def test_the_one_before_is_the_one_whose_place_was_taken(bench: Bench) -> None:
    add_models(bench, "a", "b", "c")
    record(bench, promotion("a", None))
    record(bench, promotion("b", "a"))
    record(bench, promotion("c", "b"))
    record(bench, promotion("b", "c", holdout=None, by="ann", reason="too slow"))
    assert champion(bench) == "b"
    with bench.catalog.begin() as transaction:
        assert models.before(transaction, "b").id == "a"


def test_before_the_first_champion_there_was_none(bench: Bench) -> None:
    add_models(bench, "a")
    record(bench, promotion("a", None))
    with (
        bench.catalog.begin() as transaction,
        pytest.raises(NoSuchModel, match="nothing to go back to"),
    ):
        models.before(transaction, "a")


def test_one_can_go_back_and_forth(bench: Bench) -> None:
    add_models(bench, "a", "b")
    record(bench, promotion("a", None))
    record(bench, promotion("b", "a"))
    for target, standing in (("a", "b"), ("b", "a"), ("a", "b")):
        record(bench, promotion(target, standing, holdout=None, by="ann", reason="to see"))
    assert champion(bench) == "a"


@pytest.mark.parametrize("beginning", ["model", "nothing", "%a"])
def test_a_beginning_that_is_not_of_one_model_names_the_command_that_lists_them(
    bench: Bench, beginning: str
) -> None:
    add_models(bench, "model a", "model b")
    with (
        bench.catalog.begin() as transaction,
        pytest.raises(NoSuchModel, match="groundtruth models list"),
    ):
        models.named(transaction, beginning)
