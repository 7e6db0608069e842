"""Run a campaign: `python -m tests.chaos --loops 100 --seed 0`.

Repeated, it goes on where it stopped. Everything is in the work folder: a line for each loop, the
logs of its commands and its ledger. Exit status 1 when an invariant was broken.
"""

import signal
import time
from pathlib import Path
from shutil import copytree, rmtree
from typing import Annotated

import typer

from tests.chaos.commands import warm_up
from tests.chaos.journal import Entry, Journal
from tests.chaos.loop import Loop
from tests.chaos.machines import Machines
from tests.chaos.report import page
from tests.chaos.schedule import BEGINNING, Phase, Plan, plan, undisturbed
from tests.chaos.worlds import World

Usual = dict[Phase, float]


def main(
    loops: Annotated[int, typer.Option(help="Loops to run in all.")] = 100,
    first: Annotated[
        int, typer.Option(help="Number of the first: parts of a campaign can run side by side.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Names the campaign: all faults follow from it.")] = 0,
    minutes: Annotated[float, typer.Option(help="Begin no loop after so long.")] = 120.0,
    worlds: Annotated[int, typer.Option(help="Different sets of pictures.")] = 4,
    work: Annotated[Path, typer.Option(help="Folder that PostgreSQL's user can enter.")] = Path(
        "/tmp/groundtruth-chaos"
    ),
    report: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
) -> None:
    """Run what is left of a campaign, and say what was found."""
    # Whoever ends the campaign wants its servers ended, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    end = time.monotonic() + 60 * minutes
    work.mkdir(parents=True, exist_ok=True)
    work.chmod(0o755)
    wanted = range(first, first + loops)
    journal = Journal(work / f"campaign-{seed}.jsonl")
    done = {entry.plan.loop for entry in journal.entries()}
    machines, usual = Machines(work), Usual()
    try:
        machines.start()
        warm_up({**machines.environment, **machines.flows_clock.environment})
        for number in wanted:
            if number in done:
                continue
            if time.monotonic() > end:
                print(f"{minutes:g} minutes are over: run the same again to go on")
                break
            machines.reset_clocks()
            planned = plan(seed, number, worlds, machines.possible)
            world = World(work / f"world-{planned.world}", planned.world)
            if world.undisturbed is None:
                prepare(machines, world, usual)
            entry = run(machines, world, planned, work / f"loop-{seed}-{number}", usual)
            journal.add(entry)
            print(_line(entry), flush=True)
    finally:
        machines.stop()
    entries = sorted(
        (entry for entry in journal.entries() if entry.plan.loop in wanted),
        key=lambda entry: entry.plan.loop,
    )
    if report is not None and entries:
        report.write_text(page(entries, machines.possible), encoding="utf-8")
    raise typer.Exit(1 if any(entry.failed for entry in entries) else 0)


def prepare(machines: Machines, world: World, usual: Usual) -> None:
    """Run the loop of `world` once alone; keep its first model, and how it ends."""
    left_alone = undisturbed(world.number)
    loop = Loop(machines, world, left_alone, world.folder / "undisturbed", usual)
    try:
        loop.run(BEGINNING)
        loop.let_go()
        machines.database.execute(f"DROP DATABASE IF EXISTS {world.template}")
        machines.database.execute(
            f"CREATE DATABASE {world.template} TEMPLATE {loop.name} TABLESPACE pg_default"
        )
        rmtree(world.blobs, ignore_errors=True)
        copytree(machines.blobs, world.blobs)
        loop.run(left_alone.phases[len(BEGINNING) :])
        found = loop.check()
    finally:
        loop.let_go()
        machines.drop_database(loop.name)
    if not found.nothing:
        raise SystemExit(f"world {world.number} is wrong without any fault: {found}")
    world.keep(loop.course.prints)
    print(f"world {world.number}: {loop.course.seconds:.0f} s", flush=True)


def run(machines: Machines, world: World, planned: Plan, folder: Path, usual: Usual) -> Entry:
    """Run a loop; its catalogue is kept as SQL where something is wrong.

    Whatever else ends it early, in the campaign itself too, is put down as well: the next loop does
    not wait for it.
    """
    loop = Loop(machines, world, planned, folder, usual)
    unfinished = None
    try:
        loop.run(planned.phases)
        loop.check()
    except Exception as error:
        unfinished = f"{type(error).__name__}: {error}"
        machines.heal()
    finally:
        loop.let_go()
    entry = Entry(planned, loop.course, unfinished)
    if entry.failed:
        machines.database.dump(loop.name, folder / "catalogue.sql")
    machines.drop_database(loop.name)
    return entry


def _line(entry: Entry) -> str:
    course = entry.course
    faults = "; ".join(
        f"{each.fault.kind} in {each.fault.phase}{'' if each.met else ' (missed)'}"
        for each in course.struck
    )
    said = entry.unfinished or ("as it should be" if course.found.nothing else course.found)
    n_tries = sum(course.tries.values()) - len(course.tries)
    return (
        f"loop {entry.plan.loop}: {course.seconds:.0f} s, {course.n_answers} answers,"
        f" {n_tries} tries more, {faults}: {said}"
    )


if __name__ == "__main__":
    typer.run(main)
