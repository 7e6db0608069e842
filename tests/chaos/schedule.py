"""Which faults strike a loop, and when: drawn from the loop's seed and from nothing else."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from random import Random

FAULTS_PER_LOOP = 4


class Phase(StrEnum):
    """A part of the loop: a command of `groundtruth`, or people who answer."""

    LABEL = "label"
    FIRST_COLLECT = "first collect"
    FIRST_RETRAIN = "first retrain"
    INGEST = "ingest"
    CLUSTER = "cluster"
    ANNOTATE = "annotate"
    ANSWER = "answer"
    COLLECT = "collect"
    ANNOTATE_AGAIN = "annotate again"
    ANSWER_AGAIN = "answer again"
    COLLECT_AGAIN = "collect again"
    RECONCILE = "reconcile"
    RETRAIN = "retrain"


BEGINNING = (Phase.LABEL, Phase.FIRST_COLLECT, Phase.FIRST_RETRAIN)
LOOP = tuple(phase for phase in Phase if phase not in (*BEGINNING, Phase.RETRAIN))
PEOPLE = {Phase.ANSWER, Phase.ANSWER_AGAIN}
SPEAKS_WITH_THE_SITE = {
    *(Phase.ANNOTATE, Phase.ANNOTATE_AGAIN, Phase.COLLECT, Phase.COLLECT_AGAIN, Phase.RECONCILE)
}


class Kind(StrEnum):
    """What goes wrong."""

    KILL_FLOW = "SIGKILL of the flow"
    KILL_WORKER = "SIGKILL of the worker"
    KILL_PREFECT = "SIGKILL of the Prefect server"
    KILL_SITE = "SIGKILL of Label Studio"
    KILL_DATABASE = "SIGKILL of PostgreSQL"
    CUT_DATABASE = "connections to PostgreSQL cut"
    CUT_BEFORE = "connection to the site cut before the request"
    CUT_AFTER = "connection to the site cut before the answer"
    SLOW_SITE = "slow site"
    FULL_DISK = "disk full"
    FLOWS_CLOCK = "clock step of the flows' machine"
    SITE_CLOCK = "clock step of the site's machine"


_AT_THE_SITE = {Kind.CUT_BEFORE, Kind.CUT_AFTER, Kind.SLOW_SITE}
_OF_FLOWS = {Kind.KILL_FLOW, Kind.KILL_WORKER, Kind.FULL_DISK, Kind.FLOWS_CLOCK}


@dataclass(frozen=True)
class Fault:
    """A fault of a phase: `moment` is the share of the phase's usual time after which it strikes.

    `measure` in [0, 1) says how much of it there is: how long a server stays down, how far and
    in which direction a clock steps, how many requests are spared.
    """

    kind: Kind
    phase: Phase
    moment: float
    measure: float


@dataclass(frozen=True)
class Plan:
    """What one loop goes through.

    `world` names its pictures and people; `by_worker` are the phases that a worker runs as a
    deployment, while the others are run from the command line.
    """

    loop: int
    seed: int
    world: int
    phases: tuple[Phase, ...]
    faults: tuple[Fault, ...]
    by_worker: frozenset[Phase]


def plan(campaign: int, loop: int, n_worlds: int, possible: Collection[Kind]) -> Plan:
    """The plan of loop number `loop` of a campaign.

    Every tenth loop begins with an empty catalogue and trains its first model; every fifth ends
    with retraining. The others start with a first model.
    """
    seed = 1_000_003 * campaign + loop
    chance = Random(seed)
    phases = (
        *(BEGINNING if loop % 10 == 9 else ()),
        *LOOP,
        *((Phase.RETRAIN,) if loop % 5 == 4 else ()),
    )
    faults = [
        Fault(kind, chance.choice(struck_in(kind, phases)), chance.random(), chance.random())
        for kind in chance.sample(sorted(possible), min(FAULTS_PER_LOOP, len(possible)))
    ]
    faults.sort(key=lambda fault: (phases.index(fault.phase), fault.moment))
    commands = [phase for phase in phases if phase not in PEOPLE]
    by_worker = {fault.phase for fault in faults if fault.kind == Kind.KILL_WORKER}
    if chance.random() < 0.3:
        by_worker.add(chance.choice(commands))
    return Plan(loop, seed, loop % n_worlds, phases, tuple(faults), frozenset(by_worker))


def undisturbed(world: int) -> Plan:
    """The plan of a loop that is left alone, from an empty catalogue to a second model."""
    return Plan(-1, world, world, (*BEGINNING, *LOOP, Phase.RETRAIN), (), frozenset())


def struck_in(kind: Kind, phases: tuple[Phase, ...]) -> list[Phase]:
    """The phases in which a fault of `kind` meets somebody."""
    if kind in _AT_THE_SITE:
        return [phase for phase in phases if phase in SPEAKS_WITH_THE_SITE]
    if kind in _OF_FLOWS or kind == Kind.KILL_PREFECT:
        return [phase for phase in phases if phase not in PEOPLE]
    if kind in {Kind.KILL_SITE, Kind.SITE_CLOCK}:
        return [phase for phase in phases if phase in SPEAKS_WITH_THE_SITE | PEOPLE]
    return list(phases)
