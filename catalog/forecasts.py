"""What was expected of questions when they were planned, beside what became of them."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.database import add_new, chunks
from catalog.decisions import decision_stands
from catalog.paging import PAGE, ranges
from catalog.schema import Decision, Forecast, Question


def add(session: Session, forecasts: Sequence[Forecast]) -> int:
    """Record what is expected of questions; how many were not known."""
    return add_new(session, forecasts)


def of(session: Session, question_ids: Sequence[str]) -> dict[str, Forecast]:
    """The forecast of each of `question_ids` that has one."""
    found: dict[str, Forecast] = {}
    for chunk in chunks(question_ids, PAGE):
        query = select(Forecast).where(Forecast.question_id.in_(chunk))
        found.update((each.question_id, each) for each in session.scalars(query))
    return found


def decided(
    session: Session, model_id: str, locale: str
) -> Iterator[tuple[Forecast, Question, Decision]]:
    """What was expected of a model's questions in a locale, with the decision that stands."""
    of_model = Forecast.model_id == model_id
    for ids in ranges(session, Forecast.question_id, of_model):
        query = (
            select(Forecast, Question, Decision)
            .join(Question, Question.id == Forecast.question_id)
            .join(Decision, Decision.question_id == Forecast.question_id)
            .where(of_model, Question.locale == locale, decision_stands())
            .where(ids.holds(Forecast.question_id), ids.holds(Decision.question_id))
        )
        yield from session.execute(query).tuples()
