"""Annotators at once on one site, a large push meanwhile, and the pull beside.

    python -m benchmarks.annotator_load --annotators 200 --minutes 10 --questions 50000

A Label Studio of its own is started as its image serves it (`benchmarks.site_as_in_production`).
Each annotator asks for the next task, loads its pictures, thinks as long as people do, and submits;
the push and the pull run in processes of their own, as flows do. The annotators keep a ledger of
what the site acknowledged, and the catalogue is held against it.
"""

import asyncio
import datetime as dt
import math
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
import numpy as np
import typer
from sqlalchemy import select

from annotation import Effort, LocalPictures, Site, SiteUnreachable, Wording, task
from annotation.results import read, result
from benchmarks.site_as_in_production import running_site
from catalog import Catalog, decisions, digest, images
from catalog.database import chunks
from catalog.images import preview_key
from catalog.schema import Answer, Desk, Question, QuestionKind, SiteProject, Verdict, now
from deployments.label_studio import VERSION, LocalSite
from tasks.collect import record_answers
from tests.annotation.conftest import save_picture
from tests.catalog.rows import image

LOCALE, KIND = "en-US", QuestionKind.VERIFY
WORDING = Wording.load(LOCALE)
PICTURES = 2_000
INTRUDERS = 0.02
SPREAD = 0.35
"""Standard deviation of the logarithm of a person's time around the usual one."""
PULL_EVERY_S = 15.0
PUSH_AT_ONCE = 5_000
PATIENCE_S = 120.0
LOOKS_AFTER_S = 5.0
RAMP_S = 30.0
SPAWN = get_context("spawn")


@dataclass(frozen=True)
class Place:
    """Where the site and the catalogue are, for the processes that use them."""

    url: str
    token: str = field(repr=False)
    catalogue: str
    project: int

    @property
    def site(self) -> Site:
        return Site("local", self.url, self.token)


@dataclass(frozen=True)
class Acknowledged:
    """An answer for which the site said 201, or which was found there after it broke off."""

    question_id: str
    annotator: str
    regions: Sequence[Mapping[str, Any]]
    at: dt.datetime


@dataclass(frozen=True)
class Pushed:
    """A push of `n` questions: when it `began` and `ended`, by the monotonic clock."""

    n: int
    began: float
    ended: float


@dataclass
class Seen:
    """What all annotators saw: the ledger, the seconds of each request, and what broke off.

    `stopped` is when the last one went home, by the monotonic clock. A request that broke off
    counts with the seconds that it waited, one that was refused does not.
    """

    ledger: list[Acknowledged] = field(default_factory=list)
    stopped: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    broken: Counter[str] = field(default_factory=Counter)


def main(
    annotators: Annotated[int, typer.Option(help="People at once.")] = 200,
    minutes: Annotated[float, typer.Option(help="For so long.")] = 10.0,
    questions: Annotated[int, typer.Option(help="Pushed meanwhile.")] = 50_000,
    pictures: Annotated[int, typer.Option(help="On a sheet.")] = 30,
    processes: Annotated[int, typer.Option(help="Of Label Studio; two for each core.")] = 4,
    seed: Annotated[int, typer.Option()] = 0,
    out: Annotated[Path, typer.Option(help="The page that is written.")] = Path(
        "benchmarks/results/annotator_load.md"
    ),
) -> None:
    """Let people answer while questions are pushed and answers pulled; write the page."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # its servers end with it
    usual = Effort().seconds(KIND, n_pictures=pictures, n_removed=1, n_named=True)
    # Enough for all until the push has come through, and for all of it where it does not.
    ready = math.ceil(1.5 * annotators * max(60 * minutes / usual, 2))
    with TemporaryDirectory(dir="/tmp") as scratch, ExitStack() as running:
        folder = Path(scratch)
        folder.chmod(0o755)
        local, catalogue = running.enter_context(running_site(folder, annotators, processes))
        print("signing up the annotators", flush=True)
        people = [(each.email, each.token) for each in local.sign_in().annotators]
        known = local.credentials()
        assert known is not None
        site = Site("local", local.url, known.admin.token)
        shown = pictures_of(local, catalogue)
        first, more = (
            sheets(seed, name, n, pictures, shown)
            for name, n in (("ready", ready), ("pushed", questions))
        )
        project = site.ensure_project(
            KIND, WORDING, pictures=LocalPictures(local.pictures / "previews")
        )
        place = Place(local.url, known.admin.token, catalogue, project)
        ask(place, first)
        print(f"{ready} questions are ready, {annotators} people begin", flush=True)

        done, told = SPAWN.Event(), SPAWN.SimpleQueue()
        pulling = SPAWN.Process(target=pull_until, args=(place, done, told))
        pushing = SPAWN.Process(target=push_later, args=(place, more, 6 * minutes, told))
        for process in (pulling, pushing):
            process.start()
        began = time.monotonic()
        seen = asyncio.run(
            all_answer(place, people, first + more, 60 * minutes, usual, seed, (pushing, pulling))
        )
        pushing.join()
        done.set()
        pulling.join()
        require_alive(pushing, pulling)
        said = dict(drain(told))
        found = compare(place, seen.ledger)
    settings = f"{annotators} annotators, {minutes:g} minutes, {questions:,} questions pushed"
    out.write_text(
        page(settings, processes, pictures, usual, seen, found, began, said["push"], said["pull"]),
        encoding="utf-8",
    )
    print(out.read_text(encoding="utf-8"))
    raise typer.Exit(0 if not (found.lost or found.twice or found.strange) else 1)


def pictures_of(local: LocalSite, catalogue: str) -> list[str]:
    """Pictures that the site serves and the catalogue knows, by their identities."""
    previews = local.pictures / "previews"
    previews.mkdir(parents=True, exist_ok=True)
    shown = [save_picture(previews, f"hsl({n % 360},70%,{40 + n % 30}%)", n) for n in range(64)]
    rows = [image(f"picture {number}", LOCALE) for number in range(PICTURES)]
    for number, row in enumerate(rows):
        target = local.pictures / preview_key(row.id)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(previews / f"{shown[number % len(shown)]}.jpg")
    opened = Catalog(catalogue)
    with opened.begin() as transaction:
        images.record(transaction, rows, [])
    opened.close()
    return [row.id for row in rows]


def sheets(seed: int, name: str, n: int, size: int, shown: Sequence[str]) -> list[Question]:
    """Questions about `size` of the pictures `shown`, all different."""
    chance = Random(f"{seed} {name}")
    return [
        Question(
            id=digest("load", name, seed, number),
            kind=KIND,
            locale=LOCALE,
            site="local",
            image_ids=chance.sample(shown, size),
        )
        for number in range(n)
    ]


def ask(place: Place, questions: Sequence[Question]) -> None:
    """Ask as `annotate` does: in the catalogue first, then on the site."""
    catalog, site = Catalog(place.catalogue), place.site
    for part in chunks(questions, PUSH_AT_ONCE):
        with catalog.begin() as transaction:
            decisions.add_questions(transaction, part)
    tasks = [
        task(each, lambda image: f"/data/local-files/?d={preview_key(image)}") for each in questions
    ]
    task_ids = site.push(place.project, tasks)
    with catalog.begin() as transaction:
        decisions.record_tasks(transaction, Desk.CROWD, place.project, task_ids)
    catalog.close()


def push_later(place: Place, questions: Sequence[Question], after: float, told: Any) -> None:
    """Ask `questions` after so many seconds; tells when."""
    time.sleep(after)
    began = time.monotonic()
    ask(place, questions)
    told.put(("push", Pushed(len(questions), began, time.monotonic())))


def pull_until(place: Place, done: Event, told: Any) -> None:
    """Pull as `collect` does, again and again, and once more when all is `done`.

    Tells how often the site did not answer, which the next turn makes good.
    """
    catalog, site = Catalog(place.catalogue), place.site
    n_missed = 0
    project = SiteProject(
        site="local", locale=LOCALE, kind=KIND, desk=Desk.CROWD, project_id=place.project
    )
    last = False
    while not last:
        last = done.wait(PULL_EVERY_S)
        with catalog.read() as transaction:
            since = decisions.pulled_through(transaction, "local", place.project)
        try:
            pulled = site.pull(place.project, since)
        except SiteUnreachable:
            n_missed += 1
            last = False
            continue
        with catalog.begin() as transaction:
            record_answers(transaction, project, pulled.submissions)
            decisions.record_pull(transaction, "local", place.project, pulled.through)
    told.put(("pull", n_missed))


def require_alive(*helpers: BaseProcess) -> None:
    """Raises where the push or the pull failed: the figures would mean nothing."""
    if any(each.exitcode for each in helpers):
        raise SystemExit("the push or the pull failed: the figures would mean nothing")


async def all_answer(
    place: Place,
    people: Sequence[tuple[str, str]],
    questions: Sequence[Question],
    seconds: float,
    usual: float,
    seed: int,
    beside: Sequence[BaseProcess],
) -> Seen:
    """Let all of `people` work for so long, unless what works `beside` them fails."""
    seen = Seen()
    asked = {each.id: each for each in questions}
    deadline = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number, (email, token) in enumerate(people):
            chance = Random(f"{seed} {number}")
            group.create_task(
                one_answers(place, email, token, asked, deadline, usual, chance, seen)
            )
        while time.monotonic() < deadline:
            await asyncio.sleep(1)
            require_alive(*beside)
    seen.stopped = time.monotonic()
    return seen


async def one_answers(
    place: Place,
    email: str,
    token: str,
    asked: Mapping[str, Question],
    deadline: float,
    usual: float,
    chance: Random,
    seen: Seen,
) -> None:
    """One person: next task, its pictures, some thought, the answer."""
    await asyncio.sleep(chance.uniform(0, min(RAMP_S, (deadline - time.monotonic()) / 4)))
    headers = {"Authorization": f"Token {token}"}
    async with httpx.AsyncClient(
        base_url=place.url, headers=headers, timeout=PATIENCE_S, follow_redirects=True
    ) as browser:
        me: int | None = None
        while time.monotonic() < deadline:
            if me is None:
                known = await timed(seen, "who am I", browser, "GET", "/api/current-user/whoami")
                if known is None or not known.is_success:
                    await asyncio.sleep(1)
                    continue
                me = known.json()["id"]
            given = await timed(
                seen, "next task", browser, "GET", f"/api/projects/{place.project}/next/"
            )
            if given is None or not given.is_success:
                await asyncio.sleep(1)
                continue
            question = asked[given.json()["meta"]["question"]]
            began = time.monotonic()
            for picture in question.image_ids:
                await timed(
                    seen, "picture", browser, "GET", f"/data/local-files/?d={preview_key(picture)}"
                )
            thought = usual * chance.lognormvariate(-(SPREAD**2) / 2, SPREAD)
            await asyncio.sleep(max(thought - (time.monotonic() - began), 0))
            await submit(browser, given.json()["id"], question, email, me, thought, chance, seen)


async def submit(
    browser: httpx.AsyncClient,
    task_id: int,
    question: Question,
    email: str,
    me: int,
    thought: float,
    chance: Random,
    seen: Seen,
) -> None:
    """Answer until the site acknowledges; what broke off is looked for before it is repeated.

    Whoever waits for too long goes on with another sheet.
    """
    ticked = [each for each in question.image_ids if chance.random() < INTRUDERS]
    regions = result(KIND, Verdict.CONFIRM, intruder_ids=ticked, name=f"Thing {task_id}")
    body = {"result": regions, "lead_time": round(thought, 3)}
    place, until = f"/api/tasks/{task_id}/annotations/", time.monotonic() + 2 * PATIENCE_S
    while time.monotonic() < until:
        said = await timed(seen, "answer", browser, "POST", place, json=body)
        if said is None or said.status_code != 201:
            # The site may still be at work on what broke off.
            await asyncio.sleep(LOOKS_AFTER_S)
            found = await timed(seen, "look", browser, "GET", place)
            if found is None or not found.is_success:
                continue
            if not any(each["completed_by"] == me for each in found.json()):
                continue
        seen.ledger.append(Acknowledged(question.id, email, regions, now()))
        return
    seen.broken["answer: given up"] += 1


async def timed(
    seen: Seen, what: str, browser: httpx.AsyncClient, method: str, path: str, **more: Any
) -> httpx.Response | None:
    """A request and its seconds; None where it broke off."""
    began = time.perf_counter()
    try:
        answer = await browser.request(method, path, **more)
    except httpx.TransportError as error:
        seen.broken[f"{what}: {type(error).__name__}"] += 1
        seen.seconds[what].append(time.perf_counter() - began)
        return None
    if answer.is_success:
        seen.seconds[what].append(time.perf_counter() - began)
    else:
        seen.broken[f"{what}: HTTP {answer.status_code}"] += 1
    return answer


@dataclass(frozen=True)
class Compared:
    """The catalogue held against the ledger; `lags` are seconds from 201 to the pull's row."""

    lost: int
    twice: int
    strange: int
    lags: Sequence[float]


def compare(place: Place, ledger: Sequence[Acknowledged]) -> Compared:
    """Every acknowledged answer stands once in the catalogue, as it was given, and no other."""
    catalog = Catalog(place.catalogue)
    with catalog.read() as transaction:
        kept: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        for answer in transaction.scalars(select(Answer)):
            kept[answer.question_id, answer.annotator].append(answer)
        asked = decisions.questions(transaction, [each.question_id for each in ledger])
    catalog.close()
    lost, twice, lags = 0, 0, []
    for said in ledger:
        wanted = read((dict(region) for region in said.regions), asked[said.question_id])
        there = kept.pop((said.question_id, said.annotator), [])
        same = [
            each
            for each in there
            if (each.verdict, tuple(each.intruder_ids), each.name)
            == (wanted.verdict, wanted.intruder_ids, wanted.name)
        ]
        lost += not same
        twice += len(there) > 1
        lags += [(each.pulled_at - said.at).total_seconds() for each in same]
    return Compared(lost, twice, len(kept), lags)


def drain(told: Any) -> Iterator[Any]:
    while not told.empty():
        yield told.get()


def page(
    settings: str,
    processes: int,
    pictures: int,
    usual: float,
    seen: Seen,
    found: Compared,
    began: float,
    push: Pushed,
    n_missed: int,
) -> str:
    def row(what: str) -> str:
        taken = np.array(seen.seconds[what])
        low, high, most = np.percentile(taken, [50, 95, 99])
        return (
            f"| {what} | {len(taken):,} | {low:.2f} | {high:.2f} | {most:.2f} | {taken.max():.2f} |"
        )

    broken = ", ".join(f"{what} {n}" for what, n in seen.broken.most_common()) or "none"
    lags = np.array(found.lags)
    low, high, most = np.percentile(lags, [50, 95, 99])
    n_answers = len(seen.ledger)
    lag = f"{low:.0f}, {high:.0f}, {most:.0f}, {lags.max():.0f} s"
    elapsed = seen.stopped - began
    times = [f"{moment - began:.0f} s" for moment in (push.began, push.ended, seen.stopped)]
    return f"""# {settings}

One site: Label Studio {VERSION}, served as by its image ({processes} processes of uWSGI, on
PostgreSQL, behind nginx), on the two cores on which the annotators, the push, the pull and the
catalogue run, too. Each annotator asks for the next sheet of {pictures} pictures, loads them all,
thinks ({usual:.0f} s on average), and submits. The pull begins {PULL_EVERY_S:.0f} s after the one
before has ended.

| | |
|---|---|
| answers acknowledged | {n_answers:,} ({60 * n_answers / elapsed:.0f} a minute) |
| of these, not in the catalogue | {found.lost} |
| in the catalogue twice | {found.twice} |
| in the catalogue, but not acknowledged | {found.strange} |
| until it is read: median, P95, P99, most | {lag} |
| the push of {push.n:,} questions | began at {times[0]}, ended at {times[1]} |
| the last person stopped | at {times[2]} |
| pulls to which the site gave no answer | {n_missed} |
| requests that broke off or were refused | {broken} |

| request, s | n | P50 | P95 | P99 | most |
|---|---|---|---|---|---|
{row("next task")}
{row("picture")}
{row("answer")}
"""


if __name__ == "__main__":
    typer.run(main)
