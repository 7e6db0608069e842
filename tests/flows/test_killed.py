"""A loop that is killed again and again ends in the catalogue of one that was left alone."""

import signal
import time
from pathlib import Path

from sqlalchemy import select

from catalog.schema import Pull, SiteTask, Table, TrainingSet
from deployments.sample import Sample
from tests.flows.conftest import Workspace

PATIENCE_S = 300.0


def run_arguments(sample: Sample) -> list[str]:
    return [
        *("run", str(sample.rounds[0]), "--labelled", str(sample.labelled)),
        *("--truth", str(sample.truth), "--error-rate", "0.1"),
    ]


def kill_as_soon_as_there_is(table: type[Table], workspace: Workspace, sample: Sample) -> None:
    """Start the loop and send SIGKILL when the first row of `table` appears."""
    process = workspace.start(*run_arguments(sample))
    deadline = time.monotonic() + PATIENCE_S
    while not has_rows(workspace, table):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def has_rows(workspace: Workspace, table: type[Table]) -> bool:
    with workspace.settings.catalog.begin() as transaction:
        return transaction.scalar(select(table).limit(1)) is not None


def tasks_on_site(workspace: Workspace) -> list[str]:
    """The question of every task that stands in Label Studio."""
    client = workspace.label_studio
    return sorted(
        task.meta["question"]
        for project in client.projects.list()
        for task in client.tasks.list(project=project.id)
    )


def test_three_kills_leave_the_same_catalogue_and_one_task_per_question(
    workspace: Workspace, sample: Sample, tmp_path: Path
) -> None:
    # While the first model trains, between two locales' pushes, between two locales' pulls.
    for table in (TrainingSet, SiteTask, Pull):
        kill_as_soon_as_there_is(table, workspace, sample)
    status, printed = workspace.groundtruth(*run_arguments(sample))
    assert status == 0, printed
    tasks = tasks_on_site(workspace)
    assert len(tasks) == len(set(tasks)) == workspace.summary().questions

    undisturbed = workspace.beside(tmp_path / "undisturbed.sqlite")
    undisturbed.empty_label_studio()
    status, printed = undisturbed.groundtruth(*run_arguments(sample))
    assert status == 0, printed
    assert tasks_on_site(undisturbed) == tasks
    assert undisturbed.fingerprint() == workspace.fingerprint()
