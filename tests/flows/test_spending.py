"""What is paid for is what the catalogue's rows say, and each sum can be traced to them."""

from sqlalchemy import select

from catalog import labels
from catalog.schema import Answer, DecisionKind, VerifiedLabel
from tasks.settings import Settings
from tasks.spending import behind, done, stated
from tests.catalog.rows import Bench
from tests.workforce.staff import contract, euros, vendor, workforce
from workforce.periods import FiscalCalendar


def test_what_was_done_leads_back_to_its_answers_and_labels(settings: Settings) -> None:
    bench = Bench(settings.catalog, settings.blob_store)
    images = bench.ingest("one", "two", "three")
    question = bench.ask(images)
    bench.decide(question, DecisionKind.SAME, kept=images)
    with settings.catalog.begin() as transaction:
        labelled = list(transaction.scalars(select(VerifiedLabel.id)))
        outcome = {"quarantined": {}, "held": False, "rules": []}
        labels.record_gate_run(transaction, accepted_ids=labelled, **outcome)
    with settings.catalog.read() as transaction:
        counted = done(transaction)
        days = {each.on for each in counted}
        first, last = min(days), max(days)
        found = behind(transaction, "local", "de-DE", "verify", first, last)
        answers = set(transaction.scalars(select(Answer.id)))
        nothing = behind(transaction, "local", "ja-JP", "verify", first, last)
    assert len(found.answer_ids) == sum(each.work.n_questions for each in counted)
    assert len(found.label_ids) == sum(each.work.n_labels for each in counted)
    assert set(found.answer_ids) == answers
    assert set(found.label_ids) == set(labelled) != set()
    assert (nothing.answer_ids, nothing.label_ids) == ((), ())


def test_a_statement_charges_the_answers_of_the_catalogue(settings: Settings) -> None:
    bench = Bench(settings.catalog, settings.blob_store)
    bench.decide(bench.ask(images := bench.ingest("one", "two")), DecisionKind.SAME, kept=images)
    staff = workforce(vendor("local"), contract("local", ends="2036-12-31"))
    with settings.catalog.read() as transaction:
        days = [each.on for each in done(transaction) if each.work.n_questions]
        period = FiscalCalendar(first_month=1).year(days[0])
        found = stated(transaction, staff, period)
    [line] = found.spend("local")
    assert (line.n_answers, line.agreed) == (1, euros("0.50"))
