"""What a project of a Label Studio holds, read page by page without the data of its tasks.

Each page begins after the last task of the page before, not at a number: a task that is deleted
meanwhile shifts nothing, so none is overlooked. A task is ours when its `meta` names a question.
"""

import datetime as dt
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from label_studio_sdk import LabelStudio
from pydantic import BaseModel, ConfigDict, field_validator

from annotation.answers import Annotation, Submission
from annotation.desk import QUESTION

PAGE = 1000
_NAMED = 100  # task ids in one address; a server refuses addresses of more than 8 kB
_ANSWERS = "id,meta,overlap,updated_at,annotations,completed_by,result,was_cancelled,lead_time"


class _Annotation(BaseModel):
    id: int
    completed_by: int
    result: Any  # whatever somebody sent to the site
    was_cancelled: bool
    lead_time: float | None
    updated_at: dt.datetime

    @field_validator("lead_time")
    @classmethod
    def _is_a_time(cls, seconds: float | None) -> float | None:
        """A browser tells it, and whoever signs in can tell anything: what is no time is none."""
        return seconds if seconds is not None and 0 <= seconds < math.inf else None


class _Task(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    meta: dict[str, Any] | None
    overlap: int
    updated_at: dt.datetime
    annotations: list[_Annotation]


class Turnout(BaseModel):
    """How many answers a task is to get, how many it has, and whether it counts as answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    overlap: int
    total_annotations: int
    is_labeled: bool


def standing(client: LabelStudio, project_id: int) -> dict[str, list[int]]:
    """The ids of each question's tasks, oldest first: one id each unless a push was cut."""
    ids = defaultdict(list)
    for task in _pages(client, project_id, fields="task_only", include="id,meta"):
        if question_id := _question(task.meta):
            ids[question_id].append(int(task.id))
    return ids


def newest_change(client: LabelStudio, project_id: int) -> dt.datetime | None:
    """When, by the server's clock, a task of the project changed last; None without tasks."""
    page: Any = client.tasks.list(
        project=project_id,
        fields="task_only",
        include="id,updated_at",
        query=json.dumps({"ordering": ["-tasks:updated_at"]}),
        page=1,
        page_size=1,
    )
    return next((task.updated_at for task in page.items or ()), None)


def oldest_answered_change(
    client: LabelStudio, project_id: int, after: dt.datetime | None
) -> dt.datetime | None:
    """When the first task with an answer changed, later than `after`; None where none did."""
    answered = [_where("total_annotations", "Number", "greater", 0)]
    page: Any = client.tasks.list(
        project=project_id,
        fields="task_only",
        include="id,updated_at",
        query=json.dumps(
            {
                "ordering": ["tasks:updated_at"],
                "filters": {"conjunction": "and", "items": [*answered, *_changed(after)]},
            }
        ),
        page=1,
        page_size=1,
    )
    return next((task.updated_at for task in page.items or ()), None)


def addresses(client: LabelStudio) -> dict[int, str]:
    """The e-mail address of each user."""
    return {int(user.id): str(user.email) for user in client.users.list()}


def submissions(
    client: LabelStudio, project_id: int, after: dt.datetime | None, emails: Mapping[int, str]
) -> list[Submission]:
    """Our tasks, each with all its annotations: those whose answers changed later than `after`.

    Without `after` all of them, also those that nobody has answered.
    """
    # A task that was just pushed changed, too, and nobody has written to it yet.
    changed = [_where("updated_by", "List", "empty", False), *_changed(after)] if after else []
    found = _pages(client, project_id, changed, fields="all", include=_ANSWERS)
    return [
        _submission(question_id, _Task.model_validate(task), emails)
        for task in found
        if (question_id := _question(task.meta))
    ]


def turnout(client: LabelStudio, project_id: int, task_ids: Iterable[int]) -> Iterator[Turnout]:
    """The turnout of those of `task_ids` that the project still holds."""
    ids = sorted(task_ids)
    for start in range(0, len(ids), _NAMED):
        page: Any = client.tasks.list(
            project=project_id,
            fields="task_only",
            include="id,overlap,total_annotations,is_labeled",
            query=json.dumps(
                {"selectedItems": {"all": False, "included": ids[start : start + _NAMED]}}
            ),
            page=1,
            page_size=_NAMED,
        )
        yield from map(Turnout.model_validate, page.items or ())


def _pages(
    client: LabelStudio, project_id: int, changed: Iterable[dict[str, Any]] = (), **what: Any
) -> Iterator[Any]:
    last = 0
    while True:
        after = [*changed, _where("id", "Number", "greater", last)]
        query = {
            "ordering": ["tasks:id"],
            "filters": {"conjunction": "and", "items": after},
        }
        page: Any = client.tasks.list(
            project=project_id, query=json.dumps(query), page=1, page_size=PAGE, **what
        )
        tasks = page.items or []
        yield from tasks
        if len(tasks) < PAGE:
            return
        last = int(tasks[-1].id)


def _changed(after: dt.datetime | None) -> list[dict[str, Any]]:
    """The filter of what changed later than `after`: none of it is None."""
    if after is None:
        return []
    moment = after.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return [_where("updated_at", "Datetime", "greater", moment)]


def _where(column: str, kind: str, operator: str, value: Any) -> dict[str, Any]:
    return {
        "filter": f"filter:tasks:{column}",
        "operator": operator,
        "type": kind,
        "value": value,
    }


def _question(meta: Any) -> str | None:
    question_id = meta.get(QUESTION) if isinstance(meta, Mapping) else None
    return question_id if isinstance(question_id, str) else None


def _submission(question_id: str, task: _Task, emails: Mapping[int, str]) -> Submission:
    return Submission(
        question_id=question_id,
        task_id=task.id,
        overlap=task.overlap,
        annotations=tuple(
            Annotation(
                id=annotation.id,
                annotator=emails.get(annotation.completed_by, f"user {annotation.completed_by}"),
                result=annotation.result,
                cancelled=annotation.was_cancelled,
                seconds=annotation.lead_time,
                updated_at=annotation.updated_at,
            )
            for annotation in task.annotations
        ),
        updated_at=task.updated_at,
    )
