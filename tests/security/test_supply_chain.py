"""What groundtruth is made of is known, and an audit that did not happen is no pass."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME = re.compile(r"[A-Za-z0-9._-]+")

# What their metadata leave out; docs/security.md says what their repositories say.
WITHOUT_LICENCE = {
    *("atheris", "axe-playwright-python", "finch-clust", "label-studio-sdk", "mlcroissant"),
}


def supply_chain(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deployments.supply_chain", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def direct() -> set[str]:
    """The packages that pyproject.toml names, of every extra."""
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    found = {_plain(match[0]) for line in chain(*lists) if (match := NAME.match(line))}
    return found - {"groundtruth"}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def bill_in(folder: Path) -> Any:
    file = folder / "sbom.json"
    done = supply_chain("bill", str(file))
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return bill_in(tmp_path_factory.mktemp("bill"))


def test_the_bill_names_every_direct_dependency_with_its_version(bill: Any) -> None:
    versions = {_plain(each["name"]): each["version"] for each in bill["components"]}
    assert {name: versions.get(name) for name in direct()} == {
        name: version(name) for name in direct()
    }


def test_the_bill_names_the_licence_of_every_direct_dependency_that_states_one(bill: Any) -> None:
    silent = {_plain(each["name"]) for each in bill["components"] if not each.get("licenses")}
    assert silent & direct() == WITHOUT_LICENCE


def test_the_bill_is_the_same_for_the_same_environment(bill: Any, tmp_path: Path) -> None:
    assert bill_in(tmp_path) == bill


def test_the_bill_is_checked_against_the_schema(bill: Any, tmp_path: Path) -> None:
    few = {**bill, "components": bill["components"][:5], "dependencies": []}
    (tmp_path / "good.json").write_text(json.dumps(few))
    (tmp_path / "bad.json").write_text(json.dumps({**few, "components": [{"name": "nothing"}]}))
    assert supply_chain("check", str(tmp_path / "good.json")).returncode == 0
    assert supply_chain("check", str(tmp_path / "bad.json")).returncode == 1


def test_an_audit_that_reaches_nobody_is_no_clean_bill(tmp_path: Path) -> None:
    (tmp_path / "pins.txt").write_text("typer==0.29.2\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "deployments.supply_chain", "audit", "--timeout", "1"),
            *("--service", "osv", "--constraints", str(tmp_path / "pins.txt")),
        ],
        cwd=ROOT,
        env={"PATH": "", "HTTPS_PROXY": "http://127.0.0.1:9", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "NOT AUDITED" in done.stdout
