"""What a push would cost is said before, by the contract, and saying it changes nothing."""

import datetime as dt
from decimal import Decimal

import pytest

from catalog.fingerprint import fingerprint
from catalog.schema import QuestionKind
from deployments.dry_run import totals
from tasks.ask import would_ask
from tasks.estimate import Push, estimate
from tasks.settings import Settings
from tests.flows.world import LOCALE, ONE_SITE, World
from tests.workforce.staff import contract, euros, vendor, workforce
from workforce.records import ledger

TODAY = dt.datetime.now(dt.UTC).date()
IN_FORCE = {"starts": TODAY - dt.timedelta(days=30), "ends": TODAY + dt.timedelta(days=300)}


@pytest.fixture
def world(settings: Settings) -> World:
    return World.made(settings)


def agree(settings: Settings, **terms: object) -> None:
    staff = workforce(vendor("local"), contract("local", **IN_FORCE, **terms))
    with settings.catalog.begin() as transaction:
        ledger.recorded(transaction, staff, by="Ann", reason="agreed")


def pushes(settings: Settings) -> list[Push]:
    return estimate(settings, would_ask(settings, ONE_SITE))


def test_an_estimate_counts_what_is_asked_next_and_changes_nothing(world: World) -> None:
    with world.settings.catalog.read() as transaction:
        before = fingerprint(transaction)
    found = pushes(world.settings)
    with world.settings.catalog.read() as transaction:
        assert fingerprint(transaction) == before

    asked = [each.question for each in world.ask().entries]
    assert sum(each.n_questions for each in found) == len(asked) > 0
    assert {(each.site, each.locale, each.kind) for each in found} == {
        (each.site, each.locale, QuestionKind(each.kind)) for each in asked
    }


def test_what_was_asked_and_waits_to_be_pushed_is_counted_with_what_was_expected_of_it(
    world: World,
) -> None:
    expected = sum(each.seconds for each in world.ask().entries)
    n_waiting = len(world.to_answer())

    found = pushes(world.settings)

    assert sum(each.n_questions for each in found) == n_waiting
    assert sum(each.seconds for each in found) >= expected


def test_each_answer_that_is_wanted_is_paid_by_the_contract(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(world.settings)
    votes = world.settings.annotate.votes.model_copy(update={"first": 2, "most": 2})
    world.settings.annotate.votes = votes

    found = pushes(world.settings)

    half = Decimal("0.50")
    assert [each.cost for each in found] == [
        euros(str(2 * each.n_questions * half)) for each in found
    ]


def test_tiers_are_reached_by_all_the_kinds_together(world: World) -> None:
    tiers = [{"above": 1, "price": "0.25"}]
    agree(world.settings, rates=[{"unit": "question", "price": "0.50", "tiers": tiers}])

    found = pushes(world.settings)

    n = sum(each.n_questions for each in found)
    costs = [each.cost for each in found if each.cost is not None]
    assert len(costs) == len(found) > 0
    assert sum(costs[1:], costs[0]) == euros(str(Decimal("0.50") + (n - 1) * Decimal("0.25")))


def test_where_no_contract_says_a_price_none_is_made_up(world: World) -> None:
    found = pushes(world.settings)

    assert {each.cost for each in found} == {None}
    [line] = totals(found)
    assert line.startswith("local: ")
    assert line.endswith("a cost that no contract says")


def test_totals_add_up_each_site() -> None:
    def push(site: str, n: int, cost: str) -> Push:
        return Push(site, LOCALE, QuestionKind.VERIFY, n, 10 * n, 60.0 * n, euros(cost))

    assert totals([push("a", 1, "0.50"), push("a", 2, "1.25"), push("b", 1, "9")]) == [
        "a: 3 questions, 3 minutes, EUR 1.75",
        "b: 1 questions, 1 minutes, EUR 9.00",
    ]
    assert totals([]) == ["Nothing would be pushed."]
