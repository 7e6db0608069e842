"""Every flow ends in time and leaves a summary; only what may pass by itself is tried again."""

import errno
import importlib
from pathlib import Path

import pytest
from prefect import Flow, Task
from prefect.states import Failed
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import flows
import tasks
from annotation import SiteRefused, SiteUnreachable
from catalog import Catalog
from catalog.errors import CatalogueUnreachable, DiskFull, may_pass
from catalog.manifest import ManifestError
from tasks.trying import it_may_pass, site_was_down
from tests.catalog.conftest import postgres

__all__ = ["postgres"]


def members(package: object, kind: type) -> dict[str, object]:
    """What every module of a package defines of a kind, by its name there."""
    [folder] = package.__path__  # type: ignore[attr-defined]
    name = package.__name__  # type: ignore[attr-defined]
    modules = [importlib.import_module(f"{name}.{x.stem}") for x in Path(folder).glob("[!_]*.py")]
    return {
        f"{module.__name__}.{key}": value
        for module in modules
        for key, value in vars(module).items()
        if isinstance(value, kind)
    }


def test_every_flow_has_a_time_limit_and_leaves_a_summary_however_it_ends() -> None:
    found = members(flows, Flow)

    assert found
    for name, flow in found.items():
        assert isinstance(flow, Flow)
        assert flow.timeout_seconds, name
        hooks = (flow.on_completion_hooks, flow.on_failure_hooks)
        assert all(hooks), name
        assert flow.on_cancellation_hooks, name
        assert flow.on_crashed_hooks, name


def test_whatever_is_tried_again_says_after_which_failures_and_waits_apart() -> None:
    retried = {
        name: task
        for name, task in members(tasks, Task).items()
        if isinstance(task, Task) and task.retries
    }

    assert {name.rpartition(".")[2] for name in retried} >= {"push", "pull", "embed_shard"}
    for name, task in retried.items():
        assert task.retry_condition_fn is not None, name


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (SiteUnreachable("away"), True),
        (SiteRefused("the token is refused"), False),
        (ConnectionResetError(errno.ECONNRESET, "cut"), True),
        (TimeoutError(), True),
        (DiskFull("here"), False),
        (OSError(errno.ENOSPC, "full"), False),
        (FileNotFoundError(), False),
        (PermissionError(), False),
        (ManifestError("row 7"), False),
        (KeyError("a defect"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_may_pass_by_itself_is_tried_again(error: Exception, again: bool) -> None:
    assert site_was_down(None, None, Failed(data=error)) == again
    at_the_store = again and not isinstance(error, SiteUnreachable)
    assert it_may_pass(None, None, Failed(data=error)) == at_the_store


def test_a_connection_that_was_cut_may_pass_and_a_statement_that_is_wrong_may_not(
    postgres: str,
) -> None:
    catalog = Catalog(postgres.format(name="postgres"))
    cut, wrong = "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1 / 0"
    for statement, kind, again in ((cut, CatalogueUnreachable, True), (wrong, DBAPIError, False)):
        with pytest.raises(kind) as raised, catalog.begin() as transaction:
            transaction.execute(text(statement))
        assert may_pass(raised.value) == again
