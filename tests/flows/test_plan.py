"""What is asked in a turn: nothing known, nothing open, nothing that audits allow to accept."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from annotation.acceptance import history
from annotation.agenda import Entry, Source
from annotation.questions import merge_question
from catalog import decisions, forecasts, models
from catalog.fingerprint import Fingerprint, fingerprint
from catalog.schema import Audit, AuditDraw, Certificate, Question, QuestionKind, Removal
from tasks import turn
from tasks.ask import asked, would_ask
from tasks.certify import frontiers
from tasks.plan_page import plan_page
from tasks.settings import Settings, load_settings
from tests.flows.test_acceptance import audited
from tests.flows.world import LOCALE, ONE_SITE, World, site
from tests.workforce.staff import contract, order, vendor, workforce
from workforce.records import ledger


@pytest.fixture
def overrides() -> dict[str, str]:
    """Turns of a few questions."""
    return {
        "GROUNDTRUTH_ANNOTATE__ASKING__OPEN_SHARE": "0.3",
        "GROUNDTRUTH_ANNOTATE__ASKING__OPEN_AT_LEAST": "12",
    }


@pytest.fixture
def world(settings: Settings) -> World:
    return World.made(settings)


def places(entries: Sequence[Entry]) -> list[str]:
    """The images, each as often as it stands on a sheet, that are asked about to be placed."""
    return [
        image
        for each in entries
        if each.question.kind != QuestionKind.MERGE and each.source != Source.SECOND
        for image in each.question.image_ids
    ]


def state(settings: Settings) -> Sequence[Fingerprint]:
    with settings.catalog.read() as transaction:
        return fingerprint(transaction)


def test_what_stands_open_is_not_asked_about(world: World) -> None:
    assert world.ask().entries
    before = state(world.settings)
    assert world.ask().entries == ()
    assert state(world.settings) == before


def test_answers_that_come_late_twice_never_or_in_any_order_ask_nothing_known(
    world: World,
) -> None:
    random = Random(0)
    for _ in range(8):
        known, is_open = world.products(), world.open_images()
        agenda = world.ask()
        shown = Counter(places([each for each in agenda.entries if each.source != Source.FOLLOWS]))
        assert max(shown.values(), default=1) == 1
        assert not shown.keys() & (known.keys() | is_open)
        arriving = [each for each in world.to_answer() if random.random() < 0.6]
        random.shuffle(arriving)
        world.answer(arriving, times=2)
        world.collect()
    for _ in range(8):
        world.answer(world.to_answer())
        world.collect()
        world.ask()
    assert world.products().keys() == world.truth.keys()


def test_every_image_is_placed_asked_about_or_left_for_a_reason(world: World) -> None:
    agenda = world.ask()
    n_asked = len(set(places(agenda.entries)))
    n_listed = sum(len(shown) for shown in world.listed.values())
    assert n_asked + sum(each.n_images for each in agenda.left) == len(world.truth) - n_listed
    assert all(each.why for each in agenda.left)


def test_every_question_but_gold_says_what_was_expected_of_it_and_why(world: World) -> None:
    world.ask()
    with world.settings.catalog.read() as transaction:
        questions = list(transaction.scalars(select(Question)))
        told = forecasts.of(transaction, [each.id for each in questions])
    assert {each.id for each in questions if each.expected is None} == told.keys()
    assert all(each.reason and each.seconds > 0 for each in told.values())


def test_a_plan_that_is_only_shown_is_what_is_asked_then_and_changes_nothing(world: World) -> None:
    before = state(world.settings)
    shown = would_ask(world.settings, ONE_SITE)
    assert state(world.settings) == before
    named = [(each.question.id, each.reason) for each in shown.entries]
    assert {(each.question.id, each.reason) for each in world.ask().entries} == set(named)
    assert any("places images" in section for section in plan_page(shown))


def test_a_picture_in_an_open_audit_is_not_asked_about_beside_it(world: World) -> None:
    [first, second, *_] = world.new.values()
    audit = merge_question(first[:1], second[:1], about=[first[0], second[0]], locale=LOCALE)
    audit.site = "local"
    with world.settings.catalog.begin() as transaction:
        decisions.add_questions(transaction, [audit])
    assert not {first[0], second[0]} & set(places(world.ask().entries))


def test_what_shows_an_image_that_was_removed_is_not_asked(world: World) -> None:
    gone = {next(iter(shown)) for shown in world.new.values()}
    world.bench.add(
        *(
            Removal(image_id=image, by="ann", reason="a face", versions=[], model_ids=[])
            for image in gone
        )
    )
    for _ in range(3):
        for each in world.ask().entries:
            assert gone.isdisjoint((*each.question.image_ids, *each.question.reference_ids))
        world.answer(world.to_answer())
        world.collect()


def test_a_turn_that_is_killed_after_its_audits_were_drawn_goes_on_as_if_it_was_not(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.made(settings)
    world.ask()
    unkilled = state(settings)
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path / "killed"))
    load_settings.cache_clear()
    killed = World.made(load_settings())

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(turn, "agenda", dies)
        with pytest.raises(KeyboardInterrupt):
            killed.ask()
    killed.ask()
    assert state(killed.settings) == unkilled


def test_another_champion_asks_nothing_that_stands_open(world: World) -> None:
    world.ask()
    is_open = world.open_images()
    world.promote("second")
    assert is_open.isdisjoint(places(world.ask().entries))


def test_gold_has_its_share_of_what_an_annotator_answers(world: World) -> None:
    for _ in range(5):
        world.ask()
        world.answer(world.to_answer())
        world.collect()
    with world.settings.catalog.read() as transaction:
        n_asked, n_gold = decisions.counts(transaction, "local", LOCALE)
    share = world.settings.annotate.asking.gold_share
    assert n_gold == pytest.approx(share * (n_asked + n_gold), abs=1)


class TestAcceptance:
    @pytest.fixture
    def carried(self, world: World) -> World:
        """Clean audits, as many as the guarantee asks for, of pictures that join a product."""
        enough = history([], world.settings.annotate.acceptance).threshold.missing
        self.audit(world, enough, right=True)
        return world

    def audit(self, world: World, n: int, right: bool) -> None:
        with world.settings.catalog.read() as transaction:
            model_id = models.champion(transaction).id
        gallery = next(iter(world.listed.values()))
        audited(world.bench, model_id, gallery, n, right=right, score=0.5)

    def test_pictures_of_known_products_are_accepted_and_nobody_is_asked(
        self, carried: World
    ) -> None:
        agenda = carried.ask()
        images = {image for each in agenda.accepted for image in each.question.image_ids}
        assert images
        planned = [each for each in agenda.entries if each.source == Source.PLANNER]
        assert images.isdisjoint(places(planned))
        to_answer = {each.id for each in carried.to_answer()}
        drawn = {each.question.id for each in agenda.entries if each.source == Source.AUDIT}
        assert not to_answer & ({each.question.id for each in agenda.accepted} - drawn)

    def test_what_was_accepted_is_labelled_at_the_next_collect(self, carried: World) -> None:
        accepted = carried.ask().accepted
        carried.collect()
        found = carried.products()
        for each in accepted:
            [image] = each.question.image_ids
            assert found[image] == found[each.question.reference_ids[0]]

    def test_when_audits_fail_it_is_asked_of_people_and_nothing_more_is_accepted(
        self, carried: World
    ) -> None:
        accepted = {each.question.id for each in carried.ask().accepted}
        carried.collect()
        self.audit(carried, 30, right=False)
        carried.collect()
        assert accepted <= {each.id for each in carried.to_answer()}
        assert carried.ask().accepted == ()

    def test_the_evidence_of_a_champion_counts_nothing_for_the_next(self, carried: World) -> None:
        carried.promote("second")
        assert carried.ask().accepted == ()


class TestContracts:
    @pytest.fixture
    def sites(self) -> dict[str, object]:
        return {"local": site(LOCALE), "vendor-b": site(LOCALE)}

    def agree(self, world: World, *records: object) -> None:
        with world.settings.catalog.begin() as transaction:
            ledger.recorded(transaction, workforce(*records), by="Ann", reason="agreed")

    def test_the_cheaper_vendor_is_asked_and_a_sentence_says_so(
        self, world: World, sites: dict[str, object]
    ) -> None:
        cheap = contract("vendor-b", rates=({"unit": "question", "price": "0.10"},))
        self.agree(world, vendor("local"), contract("local"), vendor("vendor-b"), cheap)
        agenda = asked(world.settings, sites)
        placed = [each for each in agenda.entries if each.source == Source.PLANNER]
        assert {each.question.site for each in placed} == {"vendor-b"}
        assert any("vendor-b" in sentence for sentence in agenda.allotment.sentences)

    def test_no_more_is_asked_than_the_purchase_order_pays(
        self, world: World, sites: dict[str, object]
    ) -> None:
        self.agree(world, vendor("local"), contract("local"), order("1.00", "local"))
        told = [
            sentence
            for _ in range(3)
            for sentence in asked(world.settings, sites).allotment.sentences
        ]
        with world.settings.catalog.read() as transaction:
            n_asked, _ = decisions.counts(transaction, "local", LOCALE)
            n_audits = len(transaction.scalars(select(Audit)).all())
        assert 0 < (n_asked - n_audits) * Decimal("0.50") <= Decimal("1.00")
        assert any("purchase order" in sentence for sentence in told)


class TestFrontier:
    @pytest.fixture
    def certified(self, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
        """Some answers, a certificate, and a price of work."""
        world.ask()
        world.answer(world.to_answer())
        world.collect()
        stratum = {"name": "joined", "joined": True, "size": 500, "expected": 0.9}
        world.bench.add(
            AuditDraw(
                locale=LOCALE,
                round=1,
                partition="as it was",
                strata=[{**stratum, "question_ids": []}],
            ),
            Certificate(
                **dict.fromkeys(("precision_low", "recall_low", "recall_of_all_low"), 0.2),
                **dict.fromkeys(("precision_high", "recall_high", "recall_of_all_high"), 0.9),
                **dict.fromkeys(("money", "currency", "point_seconds", "point_money")),
                id="certificate",
                locale=LOCALE,
                round=1,
                partition="as it was",
                n_audits=40,
                found={},
                precision=0.9,
                recall=0.5,
                recall_of_all=0.5,
                seconds=60.0,
                promised=0.0,
                go_on=True,
                why="Go on.",
            ),
        )
        monkeypatch.setenv("GROUNDTRUTH_ANNOTATE__TARGETS__PRICE_PER_HOUR", "18")
        monkeypatch.setenv("GROUNDTRUTH_ANNOTATE__TARGETS__CURRENCY", "EUR")
        load_settings.cache_clear()
        return world

    def test_a_plan_gives_the_same_frontier_before_and_after_it_is_asked(
        self, certified: World
    ) -> None:
        before = frontiers(would_ask(certified.settings, ONE_SITE).entries)
        after = frontiers(certified.ask().entries)
        assert before == after
        [found] = after
        assert 0.5 <= found.choices[0].recall < found.choices[-1].recall
        assert found.choices[0].cost < found.choices[-1].cost

    def test_the_page_shows_it(self, certified: World) -> None:
        assert any("data:image/jpeg" in each for each in plan_page(certified.ask()))
