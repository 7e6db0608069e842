"""What a vendor's admin may write into a task of theirs decides nothing of another vendor's."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation import Annotation, Submission
from annotation.results import result
from catalog import BlobStore, Catalog, decisions
from catalog.schema import Question, QuestionKind, SiteProject, Verdict
from tasks.collect import record_answers
from tests.catalog.rows import Bench

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def question(catalog: Catalog, tmp_path: Path) -> Question:
    """A question to the annotators of the site `local`."""
    bench = Bench(catalog, BlobStore(f"file://{tmp_path / 'blobs'}"))
    return bench.ask(bench.ingest("one", "two"))


def said_at(catalog: Catalog, site: str, question: Question) -> tuple[int, tuple[str, ...]]:
    """How many answers are taken from a task of `site` that names the question, and what is not."""
    annotation = Annotation(
        id=1,
        annotator="mallory@example.com",
        result=result(QuestionKind.VERIFY, Verdict.CONFIRM),
        cancelled=False,
        seconds=9.0,
        updated_at=NOW,
    )
    submission = Submission(
        question_id=question.id, task_id=7, overlap=1, annotations=(annotation,), updated_at=NOW
    )
    project = SiteProject(site=site, project_id=1, locale="de-DE", kind="verify", desk="crowd")
    with catalog.begin() as transaction:
        read = record_answers(transaction, project, [submission])
        assert len(decisions.answers_to(transaction, [question.id])) == read.n_answers
    return read.n_answers, read.invalid


def test_the_site_that_was_asked_may_answer(catalog: Catalog, question: Question) -> None:
    assert said_at(catalog, "local", question) == (1, ())


def test_another_site_may_not(catalog: Catalog, question: Question) -> None:
    taken, refused = said_at(catalog, "vendor-b", question)
    assert taken == 0
    assert refused == ("task 7 holds a question that was not asked there",)
