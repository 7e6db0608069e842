"""Shards of work: many in all, few at a time, so that a flow is as small with ten thousand as with
ten."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from prefect.futures import PrefectFuture

Shard = TypeVar("Shard")
Result = TypeVar("Result")

AT_ONCE = 32
"""Shards that are submitted and not done: enough for any number of threads of one machine."""


def results_of(
    submit: Callable[[Shard], PrefectFuture[Result]],
    shards: Iterable[Shard],
    at_once: int = AT_ONCE,
) -> Iterator[Result]:
    """The results of `shards` in their order, at most `at_once` of them submitted and not done.

    A shard that fails keeps none of the others from being done; its error is raised after them.
    """
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
