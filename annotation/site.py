"""A site: one Label Studio instance, where questions are asked and answered.

Its import is not idempotent, so nothing is trusted but what the site holds: each method reads
first, sends only what is missing, and reads again where it cannot know what arrived. A killed call,
made again, ends as one that was not killed.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
from label_studio_sdk.core.api_error import ApiError
from label_studio_sdk.label_interface.interface import LabelInterface

from annotation import listing
from annotation.answers import Submission
from annotation.connection import (
    ONCE,
    SiteError,
    SiteUnreachable,
    gone_is_fine,
    http_client,
    label_studio,
    speaking,
)
from annotation.desk import QUESTION, guidelines, label_config
from annotation.pictures import PictureSource
from annotation.reconciliation import Drift, Mended
from annotation.wording import Wording
from catalog.schema import Desk, QuestionKind

BATCH = 500
LATE = dt.timedelta(minutes=2)  # a change is stamped before it is committed, and seen only then
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
OLDEST_VERSION = (1, 23)
HEARD = ["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"]
SECRET_HEADER = "X-Groundtruth-Secret"


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What changed on a site, and the site's own time up to which that is known."""

    submissions: list[Submission]
    through: dt.datetime


@dataclass(frozen=True)
class Site:
    """The Label Studio instance called `name` at `url`.

    `api_key` is a legacy token or a personal access token, and `patience` the seconds to wait for
    an answer. Methods raise `SiteUnreachable`, `SiteRefused`, or plain `SiteError` with the site's
    own words.
    """

    name: str
    url: str
    api_key: str = field(repr=False)
    patience: float = 300

    def check(self) -> str:
        """Sign in to a healthy server of a known version; the e-mail address of the token's user.

        Raises `SiteError` for a Label Studio older than 1.23.
        """
        with self._speaking("asking for its health"):
            health = self._http.get(f"{self._url}/health")
        if not health.is_success:
            raise SiteUnreachable(
                f"{self._place} says that it is not well ({health.status_code}): look into its log."
            )
        release = self.version()
        if tuple(int(part) for part in re.findall(r"\d+", release)[:2]) < OLDEST_VERSION:
            raise SiteError(
                f"{self._place} runs version {release}, but 1.23 or newer is needed: upgrade it "
                "(1.23.2 is tested)."
            )
        with self._speaking("signing in"):
            return str(self._client.users.whoami().email)

    def version(self) -> str:
        """The release of Label Studio that runs there."""
        with self._speaking("asking for its version"):
            return str(self._client.versions.get().release)

    def ensure_project(
        self,
        kind: QuestionKind,
        wording: Wording,
        desk: Desk = Desk.CROWD,
        *,
        known: int | None = None,
        overlap: int = 1,
        pictures: PictureSource | None = None,
    ) -> int:
        """The id of the project of one locale, kind and desk, made or brought up to date.

        The project of the id `known` is ours even if it was renamed, and gets its title back; one
        that was deleted is made anew. What was edited by hand is restored, where the answers given
        so far still fit.

        `overlap` is how many answers each question is to get. When it changes later, Label Studio
        resets every task of the project to it: call `want_votes` again for those that want more.
        """
        locale = wording.locale
        title = f"groundtruth · {locale} · {kind}" + (" · lead" if desk is Desk.LEAD else "")
        wanted: dict[str, Any] = {
            "title": title,
            "label_config": label_config(kind, wording),
            "expert_instruction": guidelines(kind, wording),
            "show_instruction": True,
            "show_skip_button": True,
            "sampling": "Sequential sampling",
            "maximum_annotations": overlap,
        }
        LabelInterface(wanted["label_config"]).validate()  # type: ignore[no-untyped-call]
        with self._speaking(f"preparing the project {title!r}"):
            project_id = known if known is not None and self._is_there(known) else None
            if project_id is None:
                project_id = self._find_project(title)
            if project_id is None:
                self._client.projects.create(**wanted, request_options=ONCE)
                project_id = self._find_project(title)
            assert project_id is not None
            self._bring_up_to_date(project_id, wanted)
            if pictures is not None:
                pictures.register(self._client, project_id)
            return project_id

    def push(self, project_id: int, tasks: Sequence[dict[str, Any]]) -> dict[str, int]:
        """See that each of `tasks` (from `desk.task`) stands in the project once.

        Returns the task id of each question. Whatever was killed before, one task per question is
        left: of several, those that nobody has answered are deleted, but for one. Of two pushes at
        the same time both may ask; the next push or `reconcile` leaves one.
        """
        try:
            return self._push(project_id, tasks)
        except SiteUnreachable:  # what arrived is unknown: look, and send the rest
            return self._push(project_id, tasks)

    def pull(self, project_id: int, since: dt.datetime | None = None) -> Pulled:
        """The tasks whose answers changed after `since` (a `Pulled.through`), with all answers.

        Without `since` all tasks, also those that nobody has answered. An annotation that was
        deleted changes its task and is no longer among its annotations. Only times of the site's
        clock are compared, so this machine's may be wrong. What changes while this reads is read
        again by the next pull, and so is what changed shortly before: `new_answers` tells what of
        it is new.
        """
        # A site with many people at it is slow to answer: what can be asked at once is.
        with self._speaking(f"pulling project {project_id}"), ThreadPoolExecutor(1) as beside:
            emails = beside.submit(listing.addresses, self._client)
            through = listing.newest_change(self._client, project_id) or since or BEGINNING
            after = since - LATE if since else None
            found = listing.submissions(self._client, project_id, after, emails.result())
        return Pulled(submissions=found, through=max(through, since or BEGINNING))

    def uncollected_since(self, project_id: int, through: dt.datetime | None) -> dt.datetime | None:
        """When the first answered task changed that a pull since `through` would read first.

        By the site's clock; None where everything is read.
        """
        with self._speaking(f"asking for the news of project {project_id}"):
            return listing.oldest_answered_change(self._client, project_id, through)

    def drift(self, project_id: int, expected: Mapping[str, int]) -> Drift:
        """What `reconcile` would mend of the project's tasks, read and left as it is."""
        with self._speaking(f"reading the questions of project {project_id}"):
            standing = listing.standing(self._client, project_id)
        return Drift(
            missing=tuple(sorted(set(expected) - set(standing))),
            moved=tuple(
                question_id
                for question_id, task_id in sorted(expected.items())
                if task_id not in standing.get(question_id, [task_id])
            ),
            doubled=tuple(sorted(key for key, tasks in standing.items() if len(tasks) > 1)),
        )

    def reconcile(self, project_id: int, expected: Mapping[str, int]) -> Mended:
        """Compare all that the project holds with `expected`, the task id of each question.

        Sees what a pull cannot: tasks that were deleted by hand. Deletes surplus tasks, changes
        nothing else.
        """
        kept, surplus = self._without_surplus(project_id, expected)
        return Mended(
            missing=tuple(question_id for question_id in expected if question_id not in kept),
            moved={
                question_id: kept[question_id]
                for question_id, task_id in expected.items()
                if kept.get(question_id, task_id) != task_id
            },
            surplus=surplus,
            submissions=tuple(self.pull(project_id).submissions),
        )

    def withdraw(self, task_ids: Iterable[int]) -> None:
        """Delete tasks with all that was answered to them: pull the answers before."""
        with self._speaking("withdrawing questions"):
            for task_id in task_ids:
                with gone_is_fine():
                    self._client.tasks.delete(str(task_id))

    def want_votes(self, project_id: int, votes: Mapping[int, int]) -> None:
        """See that each task of `votes` is offered until it has at least that many answers.

        A task that is answered already goes back into the stream of those who have not answered
        it: Label Studio does not do so by itself when the number is raised.
        """
        with self._speaking(f"asking for more votes in project {project_id}"):
            for task in list(listing.turnout(self._client, project_id, votes)):
                wanted = max(votes[task.id], task.overlap)
                answered = task.total_annotations >= wanted
                if task.overlap < wanted or (task.is_labeled and not answered):
                    with gone_is_fine():
                        self._client.tasks.update(str(task.id), overlap=wanted, is_labeled=answered)

    def hear(self, url: str, secret: str, project_id: int) -> None:
        """See that the project tells `url`, of all annotations made, changed or deleted.

        Each call carries `secret` in the header ``X-Groundtruth-Secret``. Label Studio neither
        signs nor repeats it, and shows the header to its users: it is a hint to pull, no more.
        """
        wanted: dict[str, Any] = {
            "url": url,
            "actions": HEARD,
            "headers": {SECRET_HEADER: secret},
            "send_for_all_actions": False,
            "send_payload": True,
            "is_active": True,
        }
        with self._speaking(f"registering the webhook of project {project_id}"):
            hooks = [
                hook
                for hook in self._client.webhooks.list(project=str(project_id))
                if hook.project == project_id and SECRET_HEADER in (hook.headers or {})
            ]
            if not hooks:
                self._client.webhooks.create(project=project_id, **wanted, request_options=ONCE)
            elif any(getattr(hooks[0], key) != value for key, value in wanted.items()):
                self._client.webhooks.update(hooks[0].id, **wanted)
            for surplus in hooks[1:]:
                with gone_is_fine():
                    self._client.webhooks.delete(surplus.id)

    def annotate(self, task_id: int, result: Sequence[dict[str, Any]], seconds: float) -> int:
        """Submit an annotation as the user whom the token belongs to; its id."""
        with self._speaking(f"answering task {task_id}"):
            annotation = self._client.annotations.create(
                task_id, result=result, lead_time=seconds, request_options=ONCE
            )
            return int(annotation.id)

    @cached_property
    def _http(self) -> httpx.Client:
        return http_client(self._url, self.api_key, self.patience)

    @cached_property
    def _client(self) -> Any:
        return label_studio(self._url, self.api_key, self._http)

    @property
    def _url(self) -> str:
        return self.url.rstrip("/")

    @property
    def _place(self) -> str:
        return f"Label Studio at {self.url} (site {self.name!r})"

    def _speaking(self, doing: str) -> AbstractContextManager[None]:
        return speaking(self._place, doing)

    def _is_there(self, project_id: int) -> bool:
        try:
            self._client.projects.get(project_id)
        except ApiError as error:
            if error.status_code == 404:
                return False
            raise
        return True

    def _find_project(self, title: str) -> int | None:
        """The oldest project called `title`; younger ones, left by a race, go if they are empty."""
        found = sorted(
            (project.id, project.task_number)
            for project in self._client.projects.list(title=title)
            if project.title == title
        )
        for project_id, n_tasks in found[1:]:
            if not n_tasks:
                with gone_is_fine():
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

    def _push(self, project_id: int, tasks: Sequence[dict[str, Any]]) -> dict[str, int]:
        kept, _ = self._without_surplus(project_id)
        wanted = {_question(task): task for task in tasks}
        missing = [task for question_id, task in wanted.items() if question_id not in kept]
        for start in range(0, len(missing), BATCH):
            kept.update(self._send(project_id, missing[start : start + BATCH]))
        return {question_id: kept[question_id] for question_id in wanted}

    def _send(self, project_id: int, tasks: Sequence[dict[str, Any]]) -> dict[str, int]:
        with self._speaking(f"asking {len(tasks)} questions in project {project_id}"):
            answer = self._client.projects.import_tasks(
                project_id, request=tasks, return_task_ids=True, request_options=ONCE
            )
        task_ids = answer.task_ids or ()
        if len(task_ids) != len(tasks):
            raise SiteError(
                f"{self._place} made {len(task_ids)} tasks of {len(tasks)} questions in project "
                f"{project_id}: use its open-source edition, 1.23 or newer, which imports at once."
            )
        return dict(zip(map(_question, tasks), task_ids, strict=True))

    def _without_surplus(
        self, project_id: int, expected: Mapping[str, int] | None = None
    ) -> tuple[dict[str, int], tuple[int, ...]]:
        """The one task of each question that counts, and the ids of those that were deleted.

        Of several, the expected one counts if it stands, else the oldest; one that somebody has
        begun to answer is never deleted.
        """
        kept: dict[str, int] = {}
        deleted = []
        with self._speaking(f"reading the questions of project {project_id}"):
            for question_id, task_ids in listing.standing(self._client, project_id).items():
                answered = task_ids if len(task_ids) == 1 else self._answered(task_ids)
                candidates = answered or task_ids
                wanted = (expected or {}).get(question_id)
                kept[question_id] = wanted if wanted in candidates else candidates[0]
                for task_id in set(task_ids).difference(answered, [kept[question_id]]):
                    with gone_is_fine():
                        self._client.tasks.delete(str(task_id))
                    deleted.append(task_id)
        return kept, tuple(sorted(deleted))

    def _answered(self, task_ids: Sequence[int]) -> list[int]:
        tasks = [self._client.tasks.get(str(task_id)) for task_id in task_ids]
        return [int(task.id) for task in tasks if task.annotations or task.drafts]


def _question(task: Mapping[str, Any]) -> str:
    return str(task["meta"][QUESTION])
