"""Shards of work: many in all, few at a time, so that a flow is as small with ten thousand as with
ten."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from prefect.futures import PrefectFuture

from tasks.settings import load_settings

Shard = TypeVar("Shard")
Result = TypeVar("Result")

AT_ONCE = 32
"""Shards that are submitted and not done, at least: enough for the threads of one machine."""


def results_of(
    submit: Callable[[Shard], PrefectFuture[Result]],
    shards: Iterable[Shard],
    at_once: int | None = None,
) -> Iterator[Result]:
    """The results of `shards` in their order, at most `at_once` of them submitted and not done.

    Without a number, two for each worker of `[compute]`, or `AT_ONCE` where that is more. A shard
    that fails keeps none of the others from being done; its error is raised after them.
    """
    if at_once is None:
        at_once = max(AT_ONCE, 2 * load_settings().compute.workers)
    running: deque[PrefectFuture[Result]] = deque()
    errors: list[Exception] = []

    def first() -> Iterator[Result]:
        try:
            result = running.popleft().result()
        except Exception as error:
            errors.append(error)
        else:
            yield result

    for shard in shards:
        if len(running) == at_once:
            yield from first()
        running.append(submit(shard))
    while running:
        yield from first()
    if errors:
        raise errors[0]
