"""The demo: every step of two rounds on pictures that the project makes, on real servers."""

import json
import subprocess
from typing import Any

from rich.console import Console

from catalog.summary import Summary, summarise
from deployments import stack
from deployments.orchestration import PREFECT, ROOT
from deployments.sample import Sample, write
from tasks.rounds import Round
from tasks.settings import Settings
from tasks.simulate import SimulatedPeople

DEPLOYMENT = "groundtruth/local"


class DemoFailed(RuntimeError):
    """A step of the demo did not happen."""


def demo(settings: Settings, *, people: bool, console: Console) -> stack.StackStatus:
    """Start everything, run two rounds, and check that every step left its trace.

    With `people`, the first round stops when its questions wait in Label Studio. What is done
    already is not done again. Raises `DemoFailed` that names the step.
    """
    servers = stack.up(settings, on_progress=console.print)
    console.print("Photographing the sample catalogue")
    sample = write(settings.data / "sample")
    if people:
        _run(settings, _parameters(sample, 0, None), console)
        return servers
    simulated = SimulatedPeople(truth=str(sample.truth))
    for number in range(len(sample.rounds)):
        parameters = _parameters(sample, number, simulated)
        if not Round.n_finished(*parameters.values()):
            console.rule(f"Round {number + 1}")
            _run(settings, parameters, console)
    with settings.catalog.begin() as transaction:
        _require_every_step(summarise(transaction), n_rounds=len(sample.rounds))
    return servers


def _parameters(sample: Sample, number: int, simulated: SimulatedPeople | None) -> dict[str, Any]:
    """What the flow is given in a round; the first one also gets what is labelled already."""
    return {
        "source": str(sample.rounds[number]),
        "locale": None,
        "labelled": str(sample.labelled) if number == 0 else None,
        "simulated": simulated,
    }


def _run(settings: Settings, parameters: dict[str, Any], console: Console) -> None:
    """Run the deployment as a schedule or CI would, and wait for its end."""
    given = {
        name: value.model_dump() if isinstance(value, SimulatedPeople) else value
        for name, value in parameters.items()
    }
    command = [
        *(*PREFECT, "deployment", "run", DEPLOYMENT, "--watch", "--watch-interval", "5"),
        *("--params", json.dumps(given)),
    ]
    done = subprocess.run(command, cwd=ROOT, env=stack.prefect_environment(settings), check=False)
    if done.returncode:
        raise DemoFailed(
            f"the run of {DEPLOYMENT} failed: `groundtruth logs worker` shows why, and `make demo`"
            " goes on after the last step that was done"
        )


def _require_every_step(found: Summary, *, n_rounds: int) -> None:
    happened = {
        "pictures were ingested": found.images > 0,
        "unusable files were set aside": found.set_aside > 0,
        "clusters were formed": found.clusters > 0,
        "every question stands on its site": found.questions == found.questions_on_site > 0,
        "every question was answered": found.answers >= found.questions,
        "the gate accepted labels": found.labels_accepted > 0,
        "the training set grew in every round": found.training_sets > n_rounds,
        "a challenger met the champion in every round": len(found.models) > n_rounds,
    }
    missing = [step for step, true in happened.items() if not true]
    if missing:
        raise DemoFailed(f"these steps did not happen: {'; '.join(missing)}")
