"""Where tasks run: in threads beside their flow, or on a Dask cluster."""

from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.errors import SettingsError
from tasks.settings import load_settings


class ChosenRunner(ThreadPoolTaskRunner):
    """Stands for the task runner that `[compute]` names when a flow starts.

    Prefect asks a flow's task runner for a duplicate of itself whenever the flow runs.
    """

    def duplicate(self) -> Any:
        return chosen_runner()


def chosen_runner() -> TaskRunner[Any]:
    """The task runner that `[compute]` names; raises `SettingsError` where it is not installed."""
    compute = load_settings().compute
    if compute.runner == "threads":
        return ThreadPoolTaskRunner(max_workers=compute.workers)
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError as error:
        raise SettingsError(
            '[compute] runner = "dask" needs the extra `dask`: install groundtruth[dask] here and'
            ' on every worker, or set runner = "threads"'
        ) from error
    if compute.address is not None:
        return DaskTaskRunner(address=compute.address)
    return DaskTaskRunner(
        cluster_kwargs={
            "n_workers": compute.workers,
            "threads_per_worker": 1,
            "host": "127.0.0.1",
            "dashboard_address": None,
        }
    )
