"""What is tried again: a step that may be done twice, after a failure that may pass by itself.

Waits double, and are spread so that what failed together is not tried together. What a person must
mend, such as a manifest that is wrong, a token that is refused or a disk that is full, fails at
once.
"""

from functools import partial
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.tasks import exponential_backoff

from annotation import SiteUnreachable
from catalog.errors import may_pass

HOUR = 3600.0
BACKOFF: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=1),
    "retry_jitter_factor": 0.5,
}


def site_was_down(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Whether a task failed because its site did not answer, or the catalogue or the store."""
    error = _error(state)
    return isinstance(error, SiteUnreachable) or may_pass(error)


def it_may_pass(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Whether a task failed because the catalogue or the store did not answer."""
    return may_pass(_error(state))


def _error(state: State[Any]) -> BaseException | None:
    found = state.result(raise_on_failure=False)
    return found if isinstance(found, BaseException) else None


# Makes a task of what speaks with a site. Its methods look before they write, so that a second try
# adds nothing twice.
at_a_site = partial(
    task,
    cache_policy=NO_CACHE,
    timeout_seconds=2 * HOUR,
    retry_condition_fn=site_was_down,
    **BACKOFF,
)

# Makes a task of what may be done twice, because its rows and blobs are named by their content: a
# shard of images. Shards run beside each other in threads, which nothing can interrupt: their
# time limit is that of the flow.
repeatable = partial(
    task,
    cache_policy=NO_CACHE,
    retry_condition_fn=it_may_pass,
    **BACKOFF,
)
