"""One loop: its commands in their order, each started again until it succeeds, while faults strike.

After a fault everything is brought up again, and the same command is run again: that is all that an
operator does. A command that does not end in time is killed, which counts as a try.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy import func, select

from catalog import BlobStore, Catalog, decisions, training_sets
from catalog.fingerprint import Fingerprint, fingerprint
from catalog.schema import Answer
from tests.annotation.faults import Fault as RequestFault
from tests.annotation.faults import Happens
from tests.chaos import invariants
from tests.chaos.commands import Command, WorkerRun
from tests.chaos.invariants import Found
from tests.chaos.machines import SITE, Machines
from tests.chaos.people import Ledger, Person
from tests.chaos.schedule import LOOP, PEOPLE, Fault, Kind, Phase, Plan
from tests.chaos.worlds import World

PATIENCE_S = 180.0
MOST_TRIES = 6
LONGEST_OUTAGE_S = 3.0
USUAL_S = 3.0
HOUR, DAY = 3600, 86_400

FLOW_OF = {
    Phase.LABEL: "ingest",
    Phase.FIRST_COLLECT: "collect",
    Phase.FIRST_RETRAIN: "retrain",
    Phase.ANNOTATE_AGAIN: "annotate",
    Phase.COLLECT_AGAIN: "collect",
}


class Running(Protocol):
    """Work that was started."""

    def ended(self, seconds: float) -> bool: ...
    def succeeded(self) -> bool: ...
    def kill(self) -> bool: ...


class NeverSucceeded(RuntimeError):
    """A phase failed again and again, although nothing struck it any more."""


@dataclass(frozen=True)
class Struck:
    """A fault, whether a worker ran its phase, and whether there was anything to meet."""

    fault: Fault
    by_worker: bool
    met: bool


@dataclass
class Course:
    """What happened in a loop."""

    struck: list[Struck] = field(default_factory=list)
    tries: dict[Phase, int] = field(default_factory=dict)
    hung: list[Phase] = field(default_factory=list)
    prints: dict[Phase, list[Fingerprint]] = field(default_factory=dict)
    n_answers: int = 0
    n_changed: int = 0
    n_late: int = 0
    n_tasks: int = 0
    n_versions: int = 0
    compared: bool = False
    seconds: float = 0.0
    found: Found = field(default_factory=Found)


@dataclass(frozen=True)
class Answering:
    """People at work, all at once."""

    each: Sequence[Future[int]]

    def ended(self, seconds: float) -> bool:
        return not wait(self.each, seconds).not_done

    def succeeded(self) -> bool:
        return all(one.exception() is None for one in self.each)

    def kill(self) -> bool:
        return False


class Loop:
    """The loop of `plan` on `machines`, with its database, ledger and logs in `folder`.

    `usual` are the seconds that each phase takes when it is left alone; it learns from this loop.
    """

    def __init__(
        self, machines: Machines, world: World, plan: Plan, folder: Path, usual: dict[Phase, float]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.course = Course()
        self.name = f"loop_{plan.loop}" if plan.loop >= 0 else f"loop_of_world_{world.number}"
        self._machines, self._world, self._plan = machines, world, plan
        self._folder, self._usual = folder, usual
        self._ledger = Ledger(folder / "ledger.jsonl")
        self._ledger.file.unlink(missing_ok=True)
        self._committed: dict[int, str] = {}
        begins_empty = Phase.LABEL in plan.phases
        self._url = machines.new_database(self.name, None if begins_empty else world.template)
        machines.new_blobs(None if begins_empty else world.blobs)
        machines.empty_site()
        self._catalog = Catalog(self._url)
        self._blobs = BlobStore(f"file://{machines.blobs}")

    def run(self, phases: Sequence[Phase]) -> None:
        """Go through `phases`; raises `NeverSucceeded` where one cannot be brought to an end."""
        began = time.monotonic()
        for phase in phases:
            self._bring_to_an_end(phase)
            self._look(phase)
        self.course.seconds += time.monotonic() - began

    def check(self) -> Found:
        """Hold what the loop left against the ledger, the site and the loop left alone."""
        found, phases = self.course.found, self._plan.phases
        back_in_time = any(
            each.fault.kind == Kind.SITE_CLOCK and site_step(each.fault) < 0
            for each in self.course.struck
        )
        with self._catalog.read() as session:
            invariants.check_answers(session, self._ledger, found, each_was_read=not back_in_time)
            self.course.n_tasks = invariants.check_site(session, self._machines.admin, found)
            invariants.check_questions(session, found)
            invariants.check_versions(session, self._blobs, self._committed, found)
            invariants.check_blobs(session, self._blobs, found)
        self.course.n_versions = len(self._committed)
        undisturbed = self._world.undisturbed
        if undisturbed is not None and not back_in_time:
            self.course.compared = True
            found.other += invariants.differences(
                self.course.prints[phases[-1]], undisturbed[phases[-1]]
            )
        return found

    def let_go(self) -> None:
        """Hold no connection to the loop's database until it is needed again."""
        self._catalog.close()

    def _bring_to_an_end(self, phase: Phase) -> None:
        faults = [fault for fault in self._plan.faults if fault.phase == phase]
        for n_tries in range(1, MOST_TRIES + len(faults) + 1):
            fault = faults.pop(0) if faults else None
            succeeded = self._try(phase, fault)
            self.course.tries[phase] = n_tries
            if succeeded and not faults:
                return
        raise NeverSucceeded(f"{phase} did not succeed in {n_tries} tries: see {self._log}")

    def _try(self, phase: Phase, fault: Fault | None) -> bool:
        began = time.monotonic()
        running = self._start(phase)
        with ExitStack() as while_it_runs:
            # Whoever interrupts the campaign does not wait for its commands.
            while_it_runs.callback(running.kill)
            met: Callable[[], bool] | None = None
            if fault is not None:
                running.ended(fault.moment * self._usual.get(phase, USUAL_S))
                met = self._strike(fault, running, while_it_runs)
            if not running.ended(PATIENCE_S):
                self.course.hung.append(phase)
                running.kill()
            if fault is not None and met is not None:
                by_worker = phase in self._plan.by_worker
                self.course.struck.append(Struck(fault, by_worker, met()))
        if fault is not None:
            self._machines.heal()
        elif running.succeeded() and phase not in self._plan.by_worker:
            self._usual[phase] = time.monotonic() - began
        return running.succeeded()

    def _start(self, phase: Phase) -> Running:
        if phase in PEOPLE:
            return self._let_people_answer(phase)
        flow = FLOW_OF.get(phase, str(phase))
        sample = self._world.sample
        source = {Phase.LABEL: sample.labelled, Phase.INGEST: sample.rounds[0]}.get(phase)
        environment = {
            **self._machines.environment,
            "GROUNDTRUTH_CATALOGUE": self._url,
            "GROUNDTRUTH_BLOBS": self._blobs.url,
            "GROUNDTRUTH_ENCODER__IMAGE_SIZE": "32",
            "GROUNDTRUTH_ENCODER__EPOCHS": "4",
            "GROUNDTRUTH_ANNOTATE__VOTES__FIRST": "2",
            "GROUNDTRUTH_ANNOTATE__VOTES__MOST": "2",
        }
        if phase in self._plan.by_worker:
            parameters = {"source": str(source)} if source else {}
            return WorkerRun.start(self._machines.api, f"{flow}/local", parameters, environment)
        return Command.start([flow, *([str(source)] if source else [])], environment, self._log)

    def _let_people_answer(self, phase: Phase) -> Answering:
        with self._catalog.read() as session:
            asked = {each.id: each for each in decisions.asked_on(session, SITE)}

        def work(person: Person) -> int:
            n_changed = person.change_mind(asked) if phase == Phase.ANSWER_AGAIN else 0
            return n_changed + person.answer(asked)

        people = [
            Person(
                url=self._machines.site_url,
                email=email,
                token=token,
                truth=self._world.truth,
                seed=100 * self._world.number + number,
                ledger=self._ledger,
            )
            for number, (email, token) in enumerate(self._machines.annotators)
        ]
        pool = ThreadPoolExecutor(len(people))
        answering = Answering([pool.submit(work, person) for person in people])
        pool.shutdown(wait=False)
        return answering

    def _strike(
        self, fault: Fault, running: Running, while_it_runs: ExitStack
    ) -> Callable[[], bool]:
        """Let `fault` happen; what is returned says, after the try, whether it met anybody."""
        machines = self._machines
        match fault.kind:
            case Kind.KILL_FLOW:
                met = running.kill()
            case Kind.KILL_WORKER | Kind.KILL_PREFECT | Kind.KILL_SITE | Kind.KILL_DATABASE:
                met = machines.kill(fault.kind) and not running.ended(0)
                time.sleep(LONGEST_OUTAGE_S * fault.measure)
                machines.heal()
            case Kind.CUT_DATABASE:
                met = machines.database.cut_connections() > 0 and not running.ended(0)
            case Kind.CUT_BEFORE | Kind.CUT_AFTER | Kind.SLOW_SITE:
                while_it_runs.enter_context(machines.proxy.suffering(_of_requests(fault)))
                return machines.proxy.hit.is_set
            case Kind.FULL_DISK:
                met = not running.ended(0)
                machines.disk.fill()
                while_it_runs.callback(machines.disk.make_room)
            case Kind.FLOWS_CLOCK:
                met = not running.ended(0) and fault.phase not in self._plan.by_worker
                machines.flows_clock.step(round(4 * DAY * (fault.measure - 0.5)))
            case Kind.SITE_CLOCK:
                met = True
                machines.site_clock.step(site_step(fault))
        return lambda: met

    def _look(self, phase: Phase) -> None:
        """Remember what stands after a phase."""
        with self._catalog.read() as session:
            for version in training_sets.versions(session):
                self._committed.setdefault(version.version, version.digest)
            if phase in {LOOP[-1], Phase.RETRAIN}:
                self.course.prints[phase] = fingerprint(session)
            if phase == Phase.COLLECT_AGAIN:
                n_read = session.scalar(select(func.count()).select_from(Answer)) or 0
                self.course.n_late = max(self._ledger.n_acknowledged - n_read, 0)
        self.course.n_answers = self._ledger.n_acknowledged
        self.course.n_changed = self._ledger.n_acknowledged - len(self._ledger.said)

    @property
    def _log(self) -> Path:
        return self._folder / "commands.log"


def site_step(fault: Fault) -> int:
    """The seconds by which the site's clock steps: between five minutes and three hours."""
    return round((1 if fault.measure < 0.5 else -1) * (300 + 3 * HOUR * (2 * fault.measure % 1)))


def _of_requests(fault: Fault) -> RequestFault:
    """What happens to requests of the flows: pushes are cut when they post, pulls when they get."""
    pushes = fault.phase in {Phase.ANNOTATE, Phase.ANNOTATE_AGAIN}
    if fault.kind == Kind.SLOW_SITE:
        delay = 0.2 + fault.measure
        return RequestFault(
            Happens.LATE, "GET", "/api", times=8, meanwhile=lambda: time.sleep(delay)
        )
    happens = Happens.RESET_BEFORE if fault.kind == Kind.CUT_BEFORE else Happens.RESET_AFTER
    return RequestFault(
        happens, "POST" if pushes else "GET", "/api", spare=int(6 * fault.measure), times=2
    )
