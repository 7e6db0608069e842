"""The files for CI and containers are sound, and what CI runs works, command by command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deployments.orchestration import ROOT, prefect_environment
from deployments.sample import Sample, write
from tests.conftest import RunningStack

WORKFLOW = ROOT / "deployments" / "ci" / "github-actions.yaml"
DOCKERFILE = ROOT / "deployments" / "Dockerfile"


def program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed: it is in the extra `dev`"
    return found


@pytest.mark.parametrize(
    "command",
    [
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)),
        ("zizmor", "--offline", "--no-progress", str(WORKFLOW)),
        ("hadolint", str(DOCKERFILE)),
    ],
    ids=lambda command: str(command[0]),
)
def test_what_others_check_such_files_with_finds_nothing(command: tuple[str, ...]) -> None:
    name, *arguments = command
    done = subprocess.run([program(name), *arguments], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_holds_every_package_and_runs_as_nobody_in_particular() -> None:
    lines = DOCKERFILE.read_text().splitlines()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    copied = {line.split()[1] for line in lines if line.startswith("COPY") and "from" not in line}

    assert packages - {"benchmarks", "docs", "tests"} <= copied
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]
    assert any(line.startswith("HEALTHCHECK") for line in lines)


@pytest.fixture
def photos(tmp_path: Path) -> Sample:
    return write(
        tmp_path / "photos",
        locales=("en-US",),
        labelled_products=1,
        new_products=1,
        images_per_product=2,
        rounds=1,
    )


def commands() -> dict[str, str]:
    """What the steps of the example run, by their names."""
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["loop"]["steps"]
    return {each["name"]: each["run"] for each in steps if "run" in each}


def as_a_runner(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_runner_without_the_workers_catalogue_does_nothing() -> None:
    [_, first, *_] = commands().values()
    done = as_a_runner(first, {"GROUNDTRUTH_CATALOGUE": "", "GROUNDTRUTH_BLOBS": "s3://bucket"})
    assert done.returncode == 2
    assert "GROUNDTRUTH_CATALOGUE" in done.stdout


def test_the_steps_of_the_example_run_one_after_another(
    stack: RunningStack, photos: Sample, tmp_path: Path
) -> None:
    install, *steps = commands().items()
    assert "pip install" in install[1]
    environment = {
        **prefect_environment(stack.settings),
        "GROUNDTRUTH_CATALOGUE": stack.settings.catalogue_url,
        "GROUNDTRUTH_BLOBS": stack.settings.blob_store.url,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SOURCE": str(photos.rounds[0]),
        "LOCALE": "",
    }
    for name, command in steps:
        written = command.replace("summary.json", str(tmp_path / "summary.json"))
        done = as_a_runner(written, environment)
        assert done.returncode == 0, f"{name}:\n{done.stdout}{done.stderr}"

    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["version"], summary["flow"], summary["state"]) == (1, "collect", "COMPLETED")
