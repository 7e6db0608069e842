"""Pushing and pulling beside the bare SDK: `python -m benchmarks.site_throughput 10000`.

A Label Studio of its own is started. The bare SDK is what a competent user would write: tasks
imported in batches of 500 and listed in pages of 500. Both push the same questions, into a project
each, and read the same answered project; they take turns, and the turns alternate.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from label_studio_sdk import LabelStudio

from annotation import Site, Wording, label_config, result, task
from catalog.identity import content_digest, digest
from catalog.images import preview_key
from catalog.schema import Desk, Question, QuestionKind, Verdict
from deployments.label_studio import VERSION, LocalSite
from tests.conftest import free_ports

RESULTS = Path(__file__).parent / "results" / "site_throughput.md"
PICTURES = 30
BARE = 500
TURNS = 3
WORDING = Wording.load("en-US")
KIND = QuestionKind.VERIFY


@contextmanager
def running_label_studio() -> Iterator[Site]:
    with TemporaryDirectory() as folder:
        (port,) = free_ports(1)
        local = LocalSite("benchmark", port, locales=(), n_annotators=0, data=Path(folder))
        server = local.server()
        try:
            server.start()
            server.wait_until_ready()
            yield Site(local.name, local.url, local.sign_in().admin.token)
        finally:
            server.stop()


def sheets(count: int) -> list[dict[str, Any]]:
    """Questions about `PICTURES` pictures each, all different."""

    def sheet(number: int) -> dict[str, Any]:
        ids = [content_digest(f"{number} {place}".encode()) for place in range(PICTURES)]
        question = Question(
            id=digest("verify", number), kind=KIND, locale="en-US", site="local", image_ids=ids
        )
        return task(question, lambda image: f"/data/local-files/?d={preview_key(image)}")

    return [sheet(number) for number in range(count)]


def bare_push(client: Any, project_id: int, tasks: list[dict[str, Any]]) -> int:
    for start in range(0, len(tasks), BARE):
        client.projects.import_tasks(project_id, request=tasks[start : start + BARE])
    return len(tasks)


def bare_pull(client: Any, project_id: int) -> int:
    return sum(
        len(each.annotations) for each in client.tasks.list(project=project_id, page_size=BARE)
    )


def seconds(call: Callable[[], int], expected: int) -> float:
    start = time.perf_counter()
    done = call()
    elapsed = time.perf_counter() - start
    if done != expected:
        raise SystemExit(f"{done} instead of {expected}: the figures would mean nothing")
    return elapsed


def measure(site: Site, count: int) -> dict[str, list[float]]:
    """Seconds of each turn, by what was done."""
    client: Any = LabelStudio(base_url=site.url, api_key=site.api_key)
    tasks = sheets(count)
    answered = site.ensure_project(KIND, WORDING, Desk.LEAD)
    answers = [{"result": result(KIND, Verdict.CONFIRM, name="Cocoa 250 g"), "lead_time": 12.5}]
    bare_push(client, answered, [{**each, "annotations": answers} for each in tasks])
    taken: dict[str, list[float]] = {}

    def note(what: str, call: Callable[[], int], expected: int = count) -> None:
        taken.setdefault(what, []).append(seconds(call, expected))
        print(f"{what}: {taken[what][-1]:.2f} s", flush=True)

    def pulled(since: Any) -> int:
        return sum(len(each.annotations) for each in site.pull(answered, since).submissions)

    for turn in range(TURNS):
        wording = WORDING.model_copy(update={"locale": f"turn-{turn}"})
        ours = site.ensure_project(KIND, wording)
        bare = client.projects.create(
            title=f"bare {turn}", label_config=label_config(KIND, WORDING)
        )
        contest: list[Callable[[], None]] = [
            lambda ours=ours: note("push", lambda: len(site.push(ours, tasks))),
            lambda bare=bare: note("push, bare", lambda: bare_push(client, bare.id, tasks)),
            lambda: note("pull", lambda: pulled(None)),
            lambda: note("pull, bare", lambda: bare_pull(client, answered)),
        ]
        for step in contest if turn % 2 == 0 else reversed(contest):
            step()
        note("push again", lambda ours=ours: len(site.push(ours, tasks)))
        client.projects.delete(ours)
        client.projects.delete(bare.id)
    return taken


def page(count: int, taken: dict[str, list[float]]) -> str:
    def row(ours: str, bare: str, what: str) -> str:
        mine, theirs = taken[ours], taken[bare]
        ratios = sorted(a / b for a, b in zip(mine, theirs, strict=True))
        spread = f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        return f"| {what} | {median(mine):.1f} | {median(theirs):.1f} | {spread} |"

    again = median(taken["push again"])
    return f"""# A site's pushes and pulls beside the bare SDK

{count:,} questions of {PICTURES} pictures, each answered once; Label Studio {VERSION}
on SQLite, on two cores shared with other work. Seconds are the median of {TURNS} turns in
alternating order; the ratio is the median of the turns' own, with its range.

| | groundtruth, s | bare SDK, s | ratio |
|---|---|---|---|
{row("push", "push, bare", "push: each question asked, and its task known")}
{row("pull", "pull, bare", "pull: each answer read")}

Pushing the same again finds in {again:.1f} s that nothing is missing; the bare import would ask
everything twice, and does not say which task asks what.
"""


def main(count: int) -> None:
    with running_label_studio() as site:
        taken = measure(site, count)
    RESULTS.write_text(page(count, taken), encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
