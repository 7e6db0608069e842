"""The page about a campaign: what struck, what it took, and what was found wrong."""

from collections import Counter
from collections.abc import Collection, Sequence
from statistics import median

from tasks.artifacts import table
from tests.chaos.journal import Entry
from tests.chaos.schedule import PEOPLE, Kind, Phase


def page(entries: Sequence[Entry], possible: Collection[Kind]) -> str:
    """The result of the loops of `entries`, as Markdown."""
    struck = [each for entry in entries for each in entry.course.struck]
    met = [each for each in struck if each.met]
    n_answers = sum(entry.course.n_answers for entry in entries)
    n_changed = sum(entry.course.n_changed for entry in entries)
    n_versions = sum(entry.course.n_versions for entry in entries)
    n_tasks = sum(entry.course.n_tasks for entry in entries)
    n_compared = sum(entry.course.compared for entry in entries)
    failed = [entry for entry in entries if entry.failed]

    by_kind = Counter(each.fault.kind for each in met)
    missed = Counter(each.fault.kind for each in struck if not each.met)
    by_worker = Counter(each.fault.kind for each in met if each.by_worker)
    by_place = Counter((each.fault.kind, _place(each.fault.phase)) for each in met)
    places = list(dict.fromkeys(map(_place, Phase)))
    tries = Counter[Phase]()
    runs = Counter[Phase]()
    hung = Counter(phase for entry in entries for phase in entry.course.hung)
    for entry in entries:
        tries.update(entry.course.tries)
        runs.update(entry.course.tries.keys())
    impossible = [kind for kind in Kind if kind not in possible]
    seconds = [entry.course.seconds for entry in entries]
    first = entries[0].plan.loop, entries[-1].plan.loop
    struck_table = table(
        ("", *places, "in all", "of these, run by the worker", "missed"),
        (
            (
                kind,
                *(by_place[kind, place] or "" for place in places),
                *(by_kind[kind], by_worker[kind] or "", missed[kind] or ""),
            )
            for kind in Kind
        ),
    )
    tries_table = table(
        ("phase", "times", "tries", "at most", "ended for taking too long"),
        (
            (
                *(phase, runs[phase], tries[phase]),
                max(entry.course.tries.get(phase, 0) for entry in entries),
                hung[phase] or "",
            )
            for phase in Phase
            if runs[phase]
        ),
    )
    in_course = [entry.course for entry in entries]
    checked = table(
        ("", "wrong", "of"),
        (
            (
                "answers lost",
                sum(len(each.found.lost_answers) for each in in_course),
                f"{n_answers:,} acknowledged, {n_changed:,} of them changes of mind",
            ),
            (
                "asked or answered twice",
                sum(len(each.found.duplicates) for each in in_course),
                f"{n_tasks:,} tasks",
            ),
            (
                "wrong training set versions",
                sum(len(each.found.wrong_versions) for each in in_course),
                f"{n_versions:,} versions",
            ),
            (
                "other broken invariants",
                sum(len(each.found.other) for each in in_course),
                f"{len(entries)} catalogues, {n_compared} compared with a loop left alone",
            ),
            (
                "loops that could not be finished",
                sum(entry.unfinished is not None for entry in entries),
                len(entries),
            ),
        ),
    )
    return f"""# Faults against the whole loop

{len(entries)} loops (numbers {first[0]} to {first[1]}), each with a catalogue of its own: pictures
in, clustered, asked about in a real Label Studio, answered by two simulated people over HTTP,
collected, asked and answered again, reconciled; every fifth retrained, every tenth begun with
nothing. Prefect, its worker, Label Studio and the catalogue run on one PostgreSQL. The faults, four
a loop, follow from the seed; after each the same command is run again until it succeeds. The ledger
is kept by the people who answer, from what Label Studio acknowledged.

{checked}

A catalogue is not compared where the site's clock went back: what was answered then is read by
`reconcile`, in another order ({
        sum(entry.course.n_late for entry in entries)
    } answers in this campaign).
A loop took {median(seconds):.0f} s (median; {min(seconds):.0f} to {max(seconds):.0f}).

## What struck

Times that a fault met somebody at work, by where the loop was; "missed" came when the command had
just ended.

{struck_table}

{f"Not possible on this machine: {', '.join(impossible)}." if impossible else ""}
## What it took

{tries_table}

## Failures

{chr(10).join(map(_failure, failed)) or "None."}
"""


def _place(phase: Phase) -> str:
    """Where the loop is: a second turn and a first model are like the first turn."""
    if phase in PEOPLE:
        return "answer"
    return {
        Phase.LABEL: "ingest",
        Phase.FIRST_COLLECT: "collect",
        Phase.FIRST_RETRAIN: "retrain",
        Phase.ANNOTATE_AGAIN: "annotate",
        Phase.COLLECT_AGAIN: "collect",
    }.get(phase, str(phase))


def _failure(entry: Entry) -> str:
    found = entry.course.found
    problems = [*found.lost_answers, *found.duplicates, *found.wrong_versions, *found.other]
    said = [*([entry.unfinished] if entry.unfinished else []), *problems]
    faults = "; ".join(f"{fault.kind} in {fault.phase}" for fault in entry.plan.faults)
    return f"* loop {entry.plan.loop} (seed {entry.plan.seed}; {faults}): {' · '.join(said[:3])}"
