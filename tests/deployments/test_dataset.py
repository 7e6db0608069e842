"""`groundtruth dataset` says the same to people and to machines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalog import labels, training_sets
from catalog.exports import LAYOUTS
from catalog.schema import TrainingSet
from deployments.cli import app
from tasks.settings import load_settings
from tests.catalog.rows import Bench
from tests.catalog.test_exports import photograph


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    load_settings.cache_clear()
    settings = load_settings()
    yield Bench(settings.catalog, settings.blob_store)
    load_settings.cache_clear()


def commit(bench: Bench, name: str, *numbers: int) -> TrainingSet:
    """The next version, with images of one more product."""
    bench.label(name, [photograph(bench, "de-DE", "JPEG", number) for number in numbers])
    with bench.catalog.begin() as transaction:
        return training_sets.commit(transaction, bench.blobs, labels.accepted(transaction))


def say(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["dataset", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def told(*arguments: str) -> Any:
    return json.loads(say(*arguments, "--json"))


def test_every_version_is_listed_with_what_it_was_made_from(bench: Bench) -> None:
    versions = [commit(bench, "Tea [black]", 1, 2), commit(bench, "Coffee", 3)]
    found = told("list")
    assert [each["digest"] for each in found] == [version.digest for version in versions]
    assert [each["parent"] for each in found] == [None, 1]
    assert all(version.digest[:16] in say("list") for version in versions)


def test_a_version_shows_its_products_whatever_they_are_called(bench: Bench) -> None:
    commit(bench, "Tea [black]", 1, 2)
    commit(bench, "Coffee", 3)
    assert [each["images"] for each in told("show", "2")["products"]] == [2, 1]
    assert told("show")["version"] == 2
    assert "Tea [black]" in say("show", "1")


def test_what_one_version_has_and_another_has_not(bench: Bench) -> None:
    commit(bench, "Tea", 1, 2)
    commit(bench, "Coffee", 3)
    found = told("diff", "1", "2")
    assert found["per_locale"] == {"de-DE": {"added": 1}}
    [change] = found["changes"]
    assert (change["kind"], change["before"], change["after"]["name"]) == ("added", None, "Coffee")
    assert "1 added, 0 removed, 0 relabelled, 0 restated" in say("diff", "1", "2")
    assert "0 added, 1 removed" in say("diff", "2", "1")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_export_is_verified_against_its_version(
    bench: Bench, tmp_path: Path, layout: str
) -> None:
    version = commit(bench, "Tea", 1, 2)
    folder = str(tmp_path / "export")
    assert version.digest in say("export", folder, "--layout", layout)
    assert f"digest {version.digest}, as exported" in say("verify", folder)
    assert f"digest {version.digest}, as committed" in say("verify", "1")


def test_lineage_is_told_as_a_tree_and_as_data(bench: Bench) -> None:
    commit(bench, "Tea [black]", 1)
    found = told("lineage", "/secret/1.jpg")
    assert [each["name"] for each in found["labels"]] == ["Tea [black]"]
    tree = say("lineage", found["image_id"][:16])
    assert "Tea [black]" in tree
    assert "training set version 1" in tree
