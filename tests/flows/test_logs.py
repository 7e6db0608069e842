"""With `logs = "json"`, each line of a real run is an object that names the run and its images."""

import json
import subprocess
import sys
from typing import Any

import pytest
from PIL import Image

from deployments.orchestration import ROOT, prefect_environment
from tasks.settings import Observability, Settings

PLANTED = "planted-0123456789abcdef"
RUNS = """
import sys
from flows.ingest import ingest
from flows.remove import remove
manifest, picture = sys.argv[1:]
ingest(manifest)
remove([picture], "Ann", "test")
"""


@pytest.fixture(scope="module")
def lines(prefect: Settings, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two runs write to their log: an image comes, and must go; one more is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    Image.effect_noise((90, 80), 60).convert("RGB").save(folder / "one.jpg")
    (folder / "two.jpg").write_bytes(f"no picture, token={PLANTED}".encode())
    manifest = folder / "manifest.csv"
    # The address holds a password, as an address of a customer's own store may.
    manifest.write_text(
        f"uri,locale\none.jpg,en-US\nhttp://ann:{PLANTED}@127.0.0.1:1/three.jpg,en-US\n"
    )
    settings = prefect.model_copy(update={"observability": Observability(logs="json")})
    environment = prefect_environment(settings) | {
        "GROUNDTRUTH_DATA": str(tmp_path_factory.mktemp("data")),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", RUNS, str(manifest), str(folder / "one.jpg")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_says_when_how_bad_and_who(lines: list[dict[str, Any]]) -> None:
    assert {"ingest", "remove"} <= {line.get("flow_name") for line in lines}
    for line in lines:
        assert {"time", "level", "logger", "message"} <= line.keys()


def test_a_line_of_a_task_names_the_image_and_both_runs(lines: list[dict[str, Any]]) -> None:
    [erased] = [line for line in lines if line["message"] == "image erased"]

    assert len(erased["image"]) == 64
    assert erased["task_name"] == "record_erased"
    runs = {line["flow_run_id"] for line in lines if line.get("flow_name") == "remove"}
    assert {erased["flow_run_id"]} == runs


def test_no_line_holds_a_secret(lines: list[dict[str, Any]]) -> None:
    aside = [line for line in lines if "set aside" in line["message"]]

    assert aside
    assert PLANTED not in json.dumps(lines)
