"""A locale is audited once, blind; its certificate follows from the answers and is kept once."""

import pytest
from sqlalchemy import select

from catalog import certificates
from catalog.schema import Audit, AuditDraw, Certificate, Question, QuestionKind
from deployments.sample import Sample
from flows.certify import certify
from flows.cluster import cluster
from flows.collect import collect
from flows.ingest import ingest
from flows.retrain import retrain
from tasks.collect import asked_projects
from tasks.settings import load_settings
from tasks.simulate import SimulatedPeople, answer_as_simulated_people
from tests.flows.conftest import Workspace

N_AUDITS = 10
LOCALES = ["ar-EG", "en-US"]


def test_audits_are_drawn_answered_and_certified_once(
    workspace: Workspace, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("AUDITS_PER_ROUND", str(N_AUDITS)),
        ("TARGETS__RECALL_AT_LEAST", "0.99"),
        ("TARGETS__PRICE_PER_HOUR", "18"),
        ("TARGETS__CURRENCY", "EUR"),
    ):
        monkeypatch.setenv(f"GROUNDTRUTH_ANNOTATE__{name}", value)
    load_settings.cache_clear()
    catalog = load_settings().catalog
    ingest(str(sample.labelled))
    collect()
    retrain()
    ingest(str(sample.rounds[0]))
    cluster()

    assert certify() == []
    assert certify() == []  # nothing is drawn beside what is open
    with catalog.read() as transaction:
        audits = list(transaction.scalars(select(Audit)))
        questions = list(transaction.scalars(select(Question)))
        draws = {each.locale: each for each in transaction.scalars(select(AuditDraw))}
    assert len(audits) == len(questions) == len(LOCALES) * N_AUDITS
    assert all(len(q.image_ids) == len(q.reference_ids) == 1 for q in questions)
    assert {(q.kind, q.expected, q.suggestion) for q in questions} == {
        (QuestionKind.MERGE, None, None)
    }
    assert sorted(draws) == LOCALES
    assert {q.id for q in questions} == {i for d in draws.values() for i in certificates.asked(d)}

    people = SimulatedPeople(truth=str(sample.truth), error_rates=(0.0,))
    assert answer_as_simulated_people(people, asked_projects()) == len(questions)
    collect()
    first, again = certify(), certify()
    assert [each.locale for each in first] == LOCALES
    assert [each.certificate for each in first] == [each.certificate for each in again]
    for each in first:
        assert each.certificate.n_audits == N_AUDITS
        assert each.n_open == 0
        assert each.certificate.precision.low < each.certificate.precision.high
        assert not each.advice.go_on  # no question but audits waits
    with catalog.read() as transaction:
        kept = list(transaction.scalars(select(Certificate)))
        assert len(kept) == len(LOCALES)
        # People decided nothing but audits, so that there is nothing new to measure.
        assert len(list(transaction.scalars(select(AuditDraw)))) == len(LOCALES)
    assert {row.currency for row in kept} == {"EUR"}
