"""A site: one Label Studio instance, where questions are asked and answered.

Its import is not idempotent, so nothing is trusted but what the site holds: each method reads
first, sends only what is missing, and reads again where it cannot know what arrived.
"""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError
from label_studio_sdk.label_interface.interface import LabelInterface
from pydantic import BaseModel, ConfigDict

from annotation.answers import Annotation, Submission
from annotation.desk import guidelines, label_config
from annotation.wording import Wording
from catalog.schema import Desk, QuestionKind

BATCH = 100
QUESTION = "question"
PAGE = 500
OVERLAP = dt.timedelta(minutes=2)
ONCE: Any = {"max_retries": 0, "timeout_in_seconds": 300}
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class SiteError(RuntimeError):
    """A site did not do what it was asked."""


class SiteUnreachable(SiteError):
    """Nothing answers at the site's address, or it broke off: what arrived is unknown."""


class SiteRefused(SiteError):
    """The site does not accept the token."""


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What changed on a site, and the site's own time up to which that is known."""

    submissions: list[Submission]
    through: dt.datetime


class _RawAnnotation(BaseModel):
    id: int
    completed_by: int
    result: list[dict[str, Any]]
    was_cancelled: bool
    lead_time: float | None
    updated_at: dt.datetime


class _RawTask(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    meta: dict[str, Any] | None
    overlap: int
    annotations: list[_RawAnnotation]
    updated_at: dt.datetime


def local_picture_url(key: str) -> str:
    """The address of file `key`, a path below the server's document root, for who signed in."""
    return f"/data/local-files/?d={quote(key)}"


@dataclass(frozen=True)
class Site:
    """The Label Studio instance called `name` at `url`.

    `api_key` is a legacy token or a personal access token. Methods raise `SiteUnreachable`,
    `SiteRefused`, or plain `SiteError` with the site's own words.
    """

    name: str
    url: str
    api_key: str = field(repr=False)

    @cached_property
    def _client(self) -> Any:
        return LabelStudio(  # type: ignore[no-untyped-call]
            base_url=self.url.rstrip("/"), api_key=self.api_key
        )

    def check(self) -> str:
        """Sign in; the e-mail address that the token belongs to."""
        with self._speaking("signing in"):
            return str(self._client.users.whoami(request_options=ONCE).email)

    def ensure_project(
        self,
        kind: QuestionKind,
        wording: Wording,
        desk: Desk = Desk.CROWD,
        picture_root: Path | None = None,
    ) -> int:
        """The id of the locale's project, made or brought up to date.

        A changed contact sheet replaces the old one where the answers given so far still fit.
        `picture_root` is a folder of pictures, strictly below the server's document root, that the
        project may show by `local_picture_url`.
        """
        wanted: dict[str, Any] = {
            "label_config": label_config(kind, wording),
            "expert_instruction": guidelines(kind, wording),
            "show_instruction": True,
            "show_skip_button": True,
            "maximum_annotations": 1,
        }
        LabelInterface(wanted["label_config"]).validate()  # type: ignore[no-untyped-call]
        title = f"groundtruth · {wording.locale} · {kind} · {desk}"
        with self._speaking(f"preparing the project {title!r}"):
            project_id = self._find_project(title)
            if project_id is None:
                self._client.projects.create(title=title, **wanted, request_options=ONCE)
                project_id = self._find_project(title)
            assert project_id is not None
            self._bring_up_to_date(project_id, wanted)
            if picture_root is not None:
                self._serve(project_id, picture_root)
            return project_id

    def push(self, project_id: int, tasks: Sequence[dict[str, Any]]) -> dict[str, int]:
        """See that each of `tasks` (from `desk.task`) stands in the project once.

        Returns the task id of each question. Whatever was killed before, one task per question is
        left: of several, those that nobody has answered are deleted, but for one.
        """
        standing = self._standing(project_id)
        missing = [task for task in tasks if task["meta"][QUESTION] not in standing]
        for start in range(0, len(missing), BATCH):
            self._import(project_id, missing[start : start + BATCH])
        if missing:
            standing = self._standing(project_id)
        kept = {question_id: self._without_surplus(ids) for question_id, ids in standing.items()}
        return {task["meta"][QUESTION]: kept[task["meta"][QUESTION]][0] for task in tasks}

    def pull(self, project_id: int, since: dt.datetime | None = None) -> Pulled:
        """The tasks that changed after `since` (a `Pulled.through`), each with all its annotations.

        An annotation that was deleted changes its task and is no longer among them.
        """
        query: dict[str, Any] = {"ordering": ["tasks:id"]}
        if since is not None:
            changed = {
                "filter": "filter:tasks:updated_at",
                "operator": "greater",
                "type": "Datetime",
                "value": (since - OVERLAP).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            }
            query["filters"] = {"conjunction": "and", "items": [changed]}
        with self._speaking(f"pulling project {project_id}"):
            emails = {user.id: str(user.email) for user in self._client.users.list()}
            tasks = [
                _RawTask.model_validate(task)
                for task in self._client.tasks.list(
                    project=project_id, query=json.dumps(query), page_size=PAGE
                )
            ]
        return Pulled(
            submissions=[
                _submission(task, emails) for task in tasks if QUESTION in (task.meta or {})
            ],
            through=max((task.updated_at for task in tasks), default=since or BEGINNING),
        )

    def annotate(self, task_id: int, result: Sequence[dict[str, Any]], seconds: float) -> int:
        """Submit an annotation as the user whom the token belongs to; its id."""
        with self._speaking(f"answering task {task_id}"):
            annotation = self._client.annotations.create(
                task_id, result=result, lead_time=seconds, request_options=ONCE
            )
            return int(annotation.id)

    def _find_project(self, title: str) -> int | None:
        """The oldest project called `title`; younger ones, left by a race, go if they are empty."""
        found = sorted(
            (project.id, project.task_number)
            for project in self._client.projects.list(title=title)
            if project.title == title
        )
        for project_id, n_tasks in found[1:]:
            if not n_tasks:
                with _gone_is_fine():
                    self._client.projects.delete(project_id)
        return found[0][0] if found else None

    def _bring_up_to_date(self, project_id: int, wanted: Mapping[str, Any]) -> None:
        def outdated() -> dict[str, Any]:
            project = self._client.projects.get(project_id)
            return {key: value for key, value in wanted.items() if getattr(project, key) != value}

        changes = outdated()
        if not changes:
            return
        if "label_config" in changes:
            self._client.projects.validate_label_config(
                project_id, label_config=changes["label_config"]
            )
        self._client.projects.update(project_id, **changes)
        if ignored := outdated():
            raise SiteError(
                f"Label Studio at {self.url} ignored the settings {', '.join(ignored)} of project "
                f"{project_id}: set them in its web interface, or use version 1.23.2"
            )

    def _serve(self, project_id: int, picture_root: Path) -> None:
        storages = self._client.import_storage.local
        path = str(picture_root)
        if path not in {storage.path for storage in storages.list(project=project_id)}:
            storages.create(project=project_id, path=path, use_blob_urls=True, request_options=ONCE)

    def _standing(self, project_id: int) -> dict[str, list[int]]:
        """The ids of each question's tasks, oldest first: one id each unless an import was cut."""
        standing = defaultdict(list)
        with self._speaking(f"reading the questions of project {project_id}"):
            for task in self._client.tasks.list(
                project=project_id,
                fields="task_only",
                include="id,meta",
                query=json.dumps({"ordering": ["tasks:id"]}),
                page_size=PAGE,
            ):
                if QUESTION in (task.meta or {}):
                    standing[task.meta[QUESTION]].append(int(task.id))
        return standing

    def _import(self, project_id: int, tasks: Sequence[dict[str, Any]]) -> None:
        try:
            self._send(project_id, tasks)
        except SiteUnreachable:
            arrived = self._standing(project_id)
            if rest := [task for task in tasks if task["meta"][QUESTION] not in arrived]:
                self._send(project_id, rest)

    def _send(self, project_id: int, tasks: Sequence[dict[str, Any]]) -> None:
        with self._speaking(f"asking {len(tasks)} questions in project {project_id}"):
            self._client.projects.import_tasks(
                project_id, request=list(tasks), request_options=ONCE
            )

    def _without_surplus(self, task_ids: Sequence[int]) -> list[int]:
        """Of a question's tasks, those with answers, or the oldest; the others are deleted."""
        if len(task_ids) == 1:
            return list(task_ids)
        with self._speaking(f"deleting surplus tasks among {task_ids}"):
            tasks = {task_id: self._client.tasks.get(str(task_id)) for task_id in task_ids}
            kept = [task_id for task_id, task in tasks.items() if task.annotations]
            kept = kept or [min(task_ids)]
            for task_id in set(task_ids).difference(kept):
                with _gone_is_fine():
                    self._client.tasks.delete(str(task_id))
            return kept

    @contextmanager
    def _speaking(self, doing: str) -> Iterator[None]:
        """Turn what may go wrong while `doing` something into errors that say how to mend it."""
        place = f"Label Studio at {self.url} (site {self.name!r})"
        try:
            yield
        except httpx.TransportError as error:
            raise SiteUnreachable(
                f"{place} does not answer while {doing}: {error}. Start it with `groundtruth up`, "
                "or correct the url in the block of the site."
            ) from error
        except ApiError as error:
            status = error.status_code or 0
            words = " ".join(str(error.body).split())[:300]
            if status in (401, 403):
                raise SiteRefused(
                    f"{place} refused the token while {doing} ({status}: {words}). It is wrong or "
                    "expired: copy a valid one from Account & Settings in Label Studio to the "
                    "api_key in the block of the site."
                ) from error
            if status >= 500:
                raise SiteUnreachable(
                    f"{place} broke off while {doing} ({status}: {words}). Look into its log, then "
                    "run the same again."
                ) from error
            raise SiteError(f"{place} refused while {doing} ({status}): {words}") from error


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """Somebody else may have deleted the same surplus."""
    try:
        yield
    except ApiError as error:
        if error.status_code != 404:
            raise


def _submission(task: _RawTask, emails: Mapping[int, str]) -> Submission:
    return Submission(
        question_id=(task.meta or {})[QUESTION],
        task_id=task.id,
        overlap=task.overlap,
        annotations=tuple(
            Annotation(
                id=annotation.id,
                annotator=emails.get(annotation.completed_by, f"user {annotation.completed_by}"),
                result=tuple(annotation.result),
                cancelled=annotation.was_cancelled,
                seconds=annotation.lead_time,
                updated_at=annotation.updated_at,
            )
            for annotation in task.annotations
        ),
        updated_at=task.updated_at,
    )
