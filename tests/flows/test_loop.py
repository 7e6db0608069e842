"""The whole loop, through the deployment, the worker and both servers."""

import json

from sqlalchemy import select

from catalog import forecasts
from catalog.schema import Question
from deployments.sample import Sample
from tests.flows.conftest import Workspace


def deploy_run(workspace: Workspace, **parameters: object) -> int:
    """Run the deployment as CI does; the exit status."""
    done = workspace.prefect(
        *("deployment", "run", "groundtruth/local", "--watch", "--watch-interval", "1"),
        *("--job-variable", f"env={json.dumps(workspace.variables)}"),
        *("--params", json.dumps(parameters)),
    )
    return done.returncode


def unexplained(workspace: Workspace) -> list[str]:
    """The questions of which nobody knows why they are asked: neither gold nor forecast."""
    with workspace.settings.catalog.read() as transaction:
        questions = list(transaction.scalars(select(Question)))
        told = forecasts.of(transaction, [each.id for each in questions])
    return [each.id for each in questions if each.expected is None and each.id not in told]


def simulated(sample: Sample) -> dict[str, object]:
    return {"truth": str(sample.truth), "error_rates": [0.0]}


def test_two_rounds_end_in_a_larger_training_set_and_a_compared_model(
    workspace: Workspace, sample: Sample
) -> None:
    first, second = map(str, sample.rounds)
    labelled = str(sample.labelled)
    assert not deploy_run(workspace, source=first, labelled=labelled, simulated=simulated(sample))
    after_one = workspace.summary()
    assert after_one.questions == after_one.questions_on_site == after_one.answers > 0
    assert after_one.set_aside == 2
    assert after_one.models[0].promoted
    assert not deploy_run(workspace, source=second, simulated=simulated(sample))
    after_two = workspace.summary()
    assert after_two.rounds == 2
    assert unexplained(workspace) == []
    assert after_two.images > after_one.images
    assert after_two.labels_accepted > after_one.labels_accepted
    assert after_two.training_sets > 1
    assert len(after_two.models) > 1


def test_a_run_that_fails_says_so_in_its_exit_status(workspace: Workspace) -> None:
    assert deploy_run(workspace, source="/there/is/no/such/manifest.csv") == 1
