"""What a run came to can be read by machines, and its exit status says whether to look."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployments.orchestration import ROOT, prefect_client, prefect_environment
from deployments.sample import Sample
from tasks.settings import Settings
from tasks.summary import Summary


@dataclass(frozen=True)
class Shell:
    """A catalogue of its own on a shared Prefect, for commands without a site."""

    prefect: Settings
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "summary.json"

    def groundtruth(self, *arguments: str, **variables: str) -> int:
        """Run a command that leaves a summary; its exit status."""
        done = subprocess.run(
            [sys.executable, "-m", "deployments", "--summary", str(self.file), *arguments],
            cwd=ROOT,
            env={
                **prefect_environment(self.prefect),
                "GROUNDTRUTH_DATA": str(self.folder),
                **variables,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return done.returncode

    def summary(self) -> Summary:
        return Summary.model_validate_json(self.file.read_text())

    def kept_with(self, run: str) -> str:
        wanted = {"artifacts": {"flow_run_id": {"any_": [run]}, "key": {"any_": ["summary"]}}}
        with prefect_client(self.prefect) as api:
            [kept] = api.post("/artifacts/filter", json=wanted).json()
        return str(kept["data"])


@pytest.fixture
def shell(prefect: Settings, tmp_path: Path) -> Shell:
    return Shell(prefect, tmp_path)


def test_a_run_that_is_done_leaves_its_figures(shell: Shell, sample: Sample) -> None:
    assert shell.groundtruth("ingest", str(sample.labelled)) == 0

    found = shell.summary()
    assert (found.flow, found.state) == ("ingest", "COMPLETED")
    assert found.figures["new"] == found.figures["labelled"] == found.figures["listed"]
    assert found.model_dump_json(indent=2) in shell.kept_with(str(found.run))

    # Nothing that the gate may hold is let through: somebody must look.
    held = {
        "GROUNDTRUTH_GATE__LARGEST_PRODUCT_SHARE": "0.01",
        "GROUNDTRUTH_GATE__SHARES_JUDGED_FROM": "1",
    }
    assert shell.groundtruth("collect", **held) == 3
    assert shell.summary().figures["held"] is True


def test_a_run_that_fails_says_why_and_has_no_figures(shell: Shell) -> None:
    assert shell.groundtruth("ingest", "nowhere.csv") == 1

    found = shell.summary()
    assert (found.state, found.figures) == ("FAILED", {})
    assert "there is no manifest nowhere.csv" in found.message


def test_a_command_that_is_not_understood_runs_nothing(shell: Shell) -> None:
    assert shell.groundtruth("collect", "everything") == 2
    assert not os.path.exists(shell.file)
