"""People who answer over HTTP, and the ledger in which they keep what the site has acknowledged.

The ledger knows nothing of the catalogue: it is what the campaign holds the catalogue against. A
person whose answer broke off looks whether it is there before giving it again, as one does in a
browser.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from annotation import SimulatedAnnotator, Site
from annotation.results import result
from catalog.schema import Question

ERROR_RATE = 0.05
CHANGES_MIND = 0.25
ERROR_RATE_OF_A_SECOND_THOUGHT = 0.5
PATIENCE_S = 120.0


class SiteGone(RuntimeError):
    """The site did not answer for so long that people went home."""


@dataclass(frozen=True)
class Said:
    """One answer as the site acknowledged it; `regions` are what the browser sends."""

    question_id: str
    annotator: str
    regions: Sequence[Mapping[str, Any]]
    seconds: float


@dataclass
class Ledger:
    """What was acknowledged, in its order, by question and annotator; kept in `file` as well."""

    file: Path
    said: dict[tuple[str, str], list[Said]] = field(default_factory=lambda: defaultdict(list))

    def acknowledge(self, said: Said) -> None:
        self.said[said.question_id, said.annotator].append(said)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(vars(said)) + "\n")

    @property
    def n_acknowledged(self) -> int:
        return sum(map(len, self.said.values()))


@dataclass(frozen=True)
class Person:
    """An annotator of the site at `url`, who knows the `truth` and slips now and then."""

    url: str
    email: str
    token: str = field(repr=False)
    truth: Mapping[str, tuple[str, str]]
    seed: int
    ledger: Ledger

    def answer(self, questions: Mapping[str, Question]) -> int:
        """Answer every task of the site that this person has not answered; how many."""
        n_answers = 0
        with self._browser() as site:
            me = self._get(site, "/api/current-user/whoami")["id"]
            for task in self._tasks(site):
                question = questions[task["meta"]["question"]]
                if not _by(me, task["annotations"]):
                    self._submit(site, me, task["id"], question)
                    n_answers += 1
        return n_answers

    def change_mind(self, questions: Mapping[str, Question]) -> int:
        """Change some of the answers that this person gave; how many."""
        n_changed = 0
        with self._browser() as site:
            me = self._get(site, "/api/current-user/whoami")["id"]
            for task in self._tasks(site):
                question = questions[task["meta"]["question"]]
                mine = _by(me, task["annotations"])
                if mine and Random(f"{self.seed} {question.id}").random() < CHANGES_MIND:
                    said = self._opinion(question, self.seed + 1, ERROR_RATE_OF_A_SECOND_THOUGHT)
                    if said.regions != self.ledger.said[question.id, self.email][-1].regions:
                        self._change(site, mine[0]["id"], task["id"], me, said)
                        n_changed += 1
        return n_changed

    def _submit(self, site: httpx.Client, me: int, task_id: int, question: Question) -> None:
        said = self._opinion(question, self.seed, ERROR_RATE)
        body = {"result": said.regions, "lead_time": said.seconds}
        for _ in self._until_gone():
            try:
                answer = site.post(f"/api/tasks/{task_id}/annotations/", json=body)
            except httpx.TransportError:
                answer = None
            # What broke off may have been kept: only who looks can know.
            if (answer is not None and answer.status_code == 201) or _by(
                me, self._get(site, f"/api/tasks/{task_id}/annotations/")
            ):
                self.ledger.acknowledge(said)
                return

    def _change(
        self, site: httpx.Client, annotation_id: int, task_id: int, me: int, said: Said
    ) -> None:
        body = {"result": said.regions, "lead_time": said.seconds}
        for _ in self._until_gone():
            try:
                answer = site.patch(f"/api/annotations/{annotation_id}/", json=body)
            except httpx.TransportError:
                continue
            if answer.is_success:
                self.ledger.acknowledge(said)
                return

    def _opinion(self, question: Question, seed: int, error_rate: float) -> Said:
        annotator = SimulatedAnnotator(
            site=Site("", self.url, ""), truth=self.truth, error_rate=error_rate, seed=seed
        )
        opinion, seconds = annotator.opinion(question)
        return Said(question.id, self.email, result(**opinion), seconds)

    def _tasks(self, site: httpx.Client) -> list[dict[str, Any]]:
        """Every task with its annotations, in the order in which they were asked."""
        projects = self._get(site, "/api/projects?page_size=1000")["results"]
        return [
            task
            for project in sorted(projects, key=lambda each: int(each["id"]))
            if project["task_number"]
            for task in self._get(
                site, f"/api/tasks?project={project['id']}&fields=all&page_size=1000"
            )["tasks"]
        ]

    def _get(self, site: httpx.Client, path: str) -> Any:
        """What the site says, once it can."""
        for _ in self._until_gone():
            try:
                answer = site.get(path)
            except httpx.TransportError:
                continue
            if answer.is_success:
                return answer.json()
        raise AssertionError

    def _until_gone(self) -> Iterator[None]:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            yield
            time.sleep(0.2)
        raise SiteGone(f"{self.email} got no answer from {self.url} for {PATIENCE_S:.0f} s")

    def _browser(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Token {self.token}"},
            timeout=PATIENCE_S,
        )


def _by(annotator: int, annotations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in annotations if each["completed_by"] == annotator]
