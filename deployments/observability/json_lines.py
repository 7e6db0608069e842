"""Lines of log as JSON objects, one each, with the identities that a line is about.

Prefect reads this module while it is imported itself: it imports nothing of it.
"""

import datetime as dt
import json
import logging
import sys
from pathlib import Path
from typing import Any

from tasks.redaction import redacted

CONFIGURATION = Path(__file__).with_name("logging.yaml")
_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime"}


class JsonLines(logging.Formatter):
    """One line for each record: time (UTC), level, logger, message, run, and its `extra`.

    A line that is written while a flow or task runs carries the identities of both, whoever writes
    it. What looks like a secret is taken out.
    """

    def format(self, record: logging.LogRecord) -> str:
        extra = {key: value for key, value in vars(record).items() if key not in _USUAL}
        said = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_run(),
            **extra,
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps({key: _plain(value) for key, value in said.items()}, ensure_ascii=False)


def _run() -> dict[str, str]:
    """The flow and task that run here, as Prefect names them in its own records."""
    context = sys.modules.get("prefect.context")
    if context is None:
        return {}
    found = {}
    flow, task = context.FlowRunContext.get(), context.TaskRunContext.get()
    if flow is not None and flow.flow_run is not None:
        found = {
            "flow_name": flow.flow.name if flow.flow is not None else "",
            "flow_run_name": flow.flow_run.name,
            "flow_run_id": str(flow.flow_run.id),
        }
    if task is not None:
        found |= {
            "task_name": task.task.name,
            "task_run_name": task.task_run.name,
            "task_run_id": str(task.task_run.id),
            "flow_run_id": str(task.task_run.flow_run_id),
        }
    return found


def _plain(value: Any) -> Any:
    """`value` as JSON knows it, without secrets."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, list | tuple | set):
        return [_plain(each) for each in value]
    return redacted(str(value))
