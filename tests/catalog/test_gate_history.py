"""What the gate saw, passage after passage, and what was decided in between."""

import datetime as dt

from catalog import decisions, gate_history
from catalog.schema import DecisionKind, GateRun, Observation, QuestionKind
from tests.catalog.rows import Bench
from tests.catalog.test_settlements import judge, quarantined_label, waiting_label


def decided_since_the_last(bench: Bench) -> int:
    with bench.catalog.read() as transaction:
        last = gate_history.last_passage(transaction)
        outcomes = decisions.outcomes_since(transaction, last, [QuestionKind.VERIFY])
    return sum(n for _, _, n in outcomes)


def decide(bench: Bench, *names: str) -> None:
    question = bench.ask(bench.ingest(*names))
    bench.decide(question, DecisionKind.SAME, kept=question.image_ids)


def test_a_held_passage_is_no_history(bench: Bench) -> None:
    for held, label in ((True, "a"), (False, "b")):
        run = judge(bench, accepted_ids=[quarantined_label(bench, label)], held=held)
        seen = Observation(gate_run_id=run, rule="r", locale="", state="ok", value=0.5, n=1)
        with bench.catalog.begin() as transaction:
            gate_history.record(transaction, [seen])
            gate_history.record(transaction, [seen])
    with bench.catalog.begin() as transaction:
        passages = gate_history.passages(transaction, 10)
        assert not any(passage.held for passage in passages)
        [(place, found)] = gate_history.observations(transaction, passages)
    assert passages[place].id == found.gate_run_id
    assert found.value == 0.5


def test_a_decision_counts_until_a_batch_has_passed(bench: Bench) -> None:
    decide(bench, "a", "b")
    assert decided_since_the_last(bench) == 1
    judge(bench, held=True)
    decide(bench, "c", "d")
    assert decided_since_the_last(bench) == 2
    judge(bench)
    assert decided_since_the_last(bench) == 0
    decide(bench, "e", "f")
    assert decided_since_the_last(bench) == 1


def test_a_clock_that_was_set_back_hides_no_decision_and_no_passage(bench: Bench) -> None:
    first = judge(bench)
    with bench.catalog.begin() as transaction:
        passage = transaction.get(GateRun, first)
        assert passage is not None
        passage.judged_at += dt.timedelta(days=2)
    decide(bench, "a", "b")
    assert decided_since_the_last(bench) == 1
    second = judge(bench, accepted_ids=[waiting_label(bench, "c")])
    with bench.catalog.read() as transaction:
        passages = gate_history.passages(transaction, 10)
    assert [each.id for each in passages] == [first, second]
