"""A short campaign ends as one that nothing struck, and goes on where it stopped."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.chaos.journal import Journal
from tests.chaos.schedule import FAULTS_PER_LOOP, LOOP, Kind, plan, struck_in

ROOT = Path(__file__).resolve().parents[2]
LOOPS = 2


@pytest.fixture
def work() -> Iterator[Path]:
    # Where the user that PostgreSQL runs as can go, too.
    with TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_after_every_fault_nothing_is_lost_doubled_or_wrong(work: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.chaos", "--loops", str(LOOPS), "--worlds", "1"),
            *("--minutes", "10", "--work", str(work), "--report", str(work / "page.md")),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    entries = list(Journal(work / "campaign-0.jsonl").entries())
    assert [entry.plan.loop for entry in entries] == list(range(LOOPS))
    for entry in entries:
        assert entry.course.found.nothing
        assert entry.course.n_answers > 0
        assert entry.course.tries.keys() >= set(LOOP)
        assert len(entry.course.struck) == FAULTS_PER_LOOP
    assert any(each.met for entry in entries for each in entry.course.struck)
    assert "| answers lost | 0 |" in (work / "page.md").read_text()


def test_a_loop_suffers_what_its_number_and_its_campaign_say() -> None:
    assert plan(1, 7, 4, set(Kind)) == plan(1, 7, 4, set(Kind))
    assert plan(1, 7, 4, set(Kind)) != plan(2, 7, 4, set(Kind))


def test_a_hundred_loops_meet_every_fault_in_every_part_where_it_meets_somebody() -> None:
    planned = [plan(0, loop, 4, set(Kind)) for loop in range(100)]
    struck = {(fault.kind, fault.phase) for each in planned for fault in each.faults}
    assert struck >= {(kind, phase) for kind in Kind for phase in struck_in(kind, LOOP)}


def test_what_is_not_possible_here_does_not_strike() -> None:
    possible = set(Kind) - {Kind.FULL_DISK}
    assert all(
        fault.kind in possible for loop in range(50) for fault in plan(0, loop, 4, possible).faults
    )
