"""Two retrains, or two collects, are never at work at once, whoever started them."""

import subprocess
import sys
from pathlib import Path

import pytest

from catalog import Catalog
from deployments.orchestration import ROOT, prefect_environment
from flows.collect import COLLECT
from flows.retrain import RETRAIN
from tasks.settings import Settings


@pytest.mark.parametrize(
    ("command", "what", "status"),
    [("collect", COLLECT, 0), ("retrain", RETRAIN, 1)],  # there is nothing to train on
)
def test_a_second_one_waits_for_the_end_of_the_first(
    command: str, what: str, status: int, prefect: Settings, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    environment = prefect_environment(prefect) | {"GROUNDTRUTH_CATALOGUE": url}
    with Catalog(url).alone(what):
        second = subprocess.Popen(
            [sys.executable, "-m", "deployments", command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert second.stdout is not None
        assert any("waiting for its end" in line for line in second.stdout)
        assert second.poll() is None
    printed, _ = second.communicate()
    assert second.returncode == status, printed
