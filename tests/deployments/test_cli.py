"""What a person can mend, the command line says in one line."""

import os
import subprocess
import sys

import pytest

from deployments.orchestration import ROOT
from tests.conftest import free_ports


@pytest.mark.parametrize("command", ["summary", "decisions", "fingerprint"])
def test_a_database_that_is_away_is_said_without_a_traceback(command: str) -> None:
    [closed] = free_ports(1)
    url = f"postgresql+psycopg://ann:secret-word@127.0.0.1:{closed}/x"
    done = subprocess.run(
        [sys.executable, "-m", "deployments", command],
        cwd=ROOT,
        env=os.environ | {"GROUNDTRUTH_CATALOGUE": url},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert f"groundtruth: the catalogue at postgresql+psycopg://ann:***@127.0.0.1:{closed}" in said
    assert "does not answer" in said
    assert "Traceback" not in said
    assert "secret-word" not in said
