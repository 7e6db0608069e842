"""What an operator watches is what a look at all rows would count, on both databases."""

import datetime as dt

from catalog import clusters, digest, labels, vital_signs
from catalog.schema import (
    Answer,
    AnswerState,
    DecisionKind,
    GateRun,
    Model,
    Observation,
    Partition,
    Promotion,
    Question,
)
from catalog.waiting import waiting
from tests.catalog.rows import NOON, Bench

BOUNDS = (60.0, 3600.0)
MIDNIGHT = NOON.replace(hour=0)


def answer(question: Question, late: dt.timedelta, **given: object) -> Answer:
    """An answer that was collected at noon, so long after it was given."""
    usual = {
        "id": digest("answer", question.id, late.total_seconds(), *given.values()),
        "question_id": question.id,
        "annotation": str(late.total_seconds()),
        "revision": 0,
        "annotator": "ann@example.com",
        "state": AnswerState.GIVEN,
        "verdict": "confirm",
        "intruder_ids": [],
        "name": None,
        "flags": [],
        "seconds": 10.0,
        "answered_at": NOON - late,
        "pulled_at": NOON,
    }
    return Answer(**{**usual, **given})


class TestAnswersCollected:
    def test_each_is_counted_within_every_bound_that_its_delay_keeps(self, bench: Bench) -> None:
        asked = bench.ask(bench.ingest("a", "b"))
        delays = [dt.timedelta(seconds=s) for s in (0.25, 59.5, 61, 3599, 3601)]
        bench.add(*(answer(asked, late) for late in delays))

        with bench.catalog.read() as transaction:
            [found] = vital_signs.collected(transaction, MIDNIGHT, BOUNDS)

        assert (found.site, found.locale, found.kind) == ("local", "de-DE", "verify")
        assert (found.n, found.within) == (5, (2, 4))
        assert abs(found.seconds - sum(each.total_seconds() for each in delays)) < 0.01

    def test_neither_those_of_yesterday_nor_skips_count(self, bench: Bench) -> None:
        asked = bench.ask(bench.ingest("a", "b"))
        late = dt.timedelta(seconds=5)
        bench.add(
            answer(asked, late, pulled_at=MIDNIGHT - dt.timedelta(seconds=1)),
            answer(asked, late, state=AnswerState.SKIPPED),
        )

        with bench.catalog.read() as transaction:
            assert vital_signs.collected(transaction, MIDNIGHT, BOUNDS) == []

    def test_a_site_whose_clock_is_ahead_takes_no_time_away(self, bench: Bench) -> None:
        asked = bench.ask(bench.ingest("a", "b"))
        bench.add(answer(asked, dt.timedelta(seconds=-30)), answer(asked, dt.timedelta(seconds=7)))

        with bench.catalog.read() as transaction:
            [found] = vital_signs.collected(transaction, MIDNIGHT, BOUNDS)

        assert found.within == (2, 2)
        assert abs(found.seconds - 7) < 0.01


class TestTheGate:
    def test_its_day_is_counted_and_a_held_batch_judges_no_label(self, bench: Bench) -> None:
        runs = [
            GateRun(id=name, n_accepted=5, n_quarantined=2, held=held, rules=[], judged_at=at)
            for name, held, at in (
                ("passed", False, NOON),
                ("held", True, NOON),
                ("yesterday", False, MIDNIGHT - dt.timedelta(seconds=1)),
            )
        ]
        seen = [
            Observation(gate_run_id=run, rule=rule, locale=locale, state=state, value=None, n=7)
            for run, rule, locale, state in (
                ("passed", "agreement", "de-DE", "failed"),
                ("held", "agreement", "de-DE", "failed"),
                ("held", "names", "", "ok"),
                ("yesterday", "names", "", "failed"),
            )
        ]
        bench.add(*runs, *seen)

        with bench.catalog.read() as transaction:
            found = vital_signs.judged(transaction, MIDNIGHT)

        assert found == vital_signs.Judged(5, 2, 1, {("agreement", "de-DE"): 2, ("names", ""): 0})

    def test_labels_in_quarantine_are_those_that_the_catalogue_lists(self, bench: Bench) -> None:
        question = bench.ask(bench.ingest("a", "b"))
        bench.decide(question, DecisionKind.SAME, kept=question.image_ids)
        with bench.catalog.begin() as transaction:
            first, second = labels.unjudged(transaction)
            labels.record_gate_run(
                transaction,
                accepted_ids=[first.label_id],
                quarantined={second.label_id: ["blurred"]},
                held=False,
                rules=[],
            )
        with bench.catalog.read() as transaction:
            listed = labels.quarantined_labels(transaction)
            assert vital_signs.in_quarantine(transaction) == {"de-DE": len(listed) == 1}
        bench.succeed(listed[0][1], withdrawn=True)
        with bench.catalog.read() as transaction:
            assert vital_signs.in_quarantine(transaction) == {}


def test_what_people_decided_waits_no_more_and_what_was_accepted_and_undone_waits_again(
    bench: Bench,
) -> None:
    names = ("open", "decided", "accepted", "undone")
    asked = {name: bench.ask(bench.ingest(name, f"{name} too")) for name in names}
    bench.ask(bench.ingest("gold", "gold too"), expected={"verdict": "confirm"})
    model = bench.model()
    bench.decide(asked["decided"], DecisionKind.SAME, kept=[])
    for name in ("accepted", "undone"):
        decided = bench.decide(asked[name], DecisionKind.SAME, kept=[])
        with bench.catalog.begin() as transaction:
            transaction.merge(decided).model_id = model.id
    again = bench.decide(asked["undone"], DecisionKind.UNDONE, kept=[], supersedes=decided)
    with bench.catalog.begin() as transaction:
        transaction.merge(again).model_id = model.id

    with bench.catalog.read() as transaction:
        assert [(each.site, each.locale, each.n) for each in waiting(transaction)] == [
            ("local", "de-DE", 2)
        ]


def test_the_champion_is_in_force_since_its_last_promotion(bench: Bench) -> None:
    model = bench.model()
    with bench.catalog.read() as transaction:
        assert vital_signs.champion_now(transaction) is None
    for number, at in enumerate((NOON, NOON + dt.timedelta(days=2)), start=1):
        promotion = Promotion(
            number=number,
            challenger_id=model.id,
            champion_id=None,
            promoted=True,
            reason="better",
            holdout=str(number),
            decided_at=at,
        )
        bench.add(promotion)

    with bench.catalog.read() as transaction:
        found = vital_signs.champion_now(transaction)

    assert found is not None
    assert (found.model.id, found.since) == (model.id, NOON + dt.timedelta(days=2))


def clustering(model: Model, locale: str, n_images: int) -> Partition:
    return Partition(
        id=digest(locale, n_images),
        model_id=model.id,
        locale=locale,
        n_images=n_images,
        n_clusters=1,
    )


def test_what_a_locale_was_clustered_into_last_counts_also_where_it_was_known_before(
    bench: Bench,
) -> None:
    model = bench.model()
    many, few, other = (
        clustering(model, *each) for each in (("de-DE", 9), ("de-DE", 4), ("ja-JP", 2))
    )

    with bench.catalog.begin() as transaction:
        for each in (many, few, other):
            clusters.record_partition(transaction, each, [], [])
        assert clusters.latest_partitions(transaction) == {"de-DE": few, "ja-JP": other}
        clusters.record_clustering(transaction, "de-DE", many.id)
        assert clusters.latest_partitions(transaction) == {"de-DE": many, "ja-JP": other}


def test_when_a_locale_was_clustered_last_is_said_also_where_nothing_waited(bench: Bench) -> None:
    last = clustering(bench.model(), "de-DE", 9)

    with bench.catalog.begin() as transaction:
        clusters.record_partition(transaction, last, [], [])
        [(first_time, n_waiting)] = clusters.last_times(transaction).values()
        clusters.record_clustering(transaction, "de-DE", None)
        [(second_time, none)] = clusters.last_times(transaction).values()
        assert clusters.latest_partitions(transaction) == {"de-DE": last}

    assert first_time < second_time
    assert (n_waiting, none) == (9, 0)
