"""Work side by side takes the threads that torch has, and leaves as many as it found."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import torch

from clustering.blocks import side_by_side

THREADS = 3
PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


def at_once(n: int) -> None:
    """Work that ends only if so many blocks are worked on at a time."""
    together = Barrier(n)
    side_by_side(lambda _: together.wait(PATIENCE_S), range(n))


def of_a_new_thread() -> int:
    with ThreadPoolExecutor(1) as new:
        return new.submit(torch.get_num_threads).result()


def test_each_thread_has_one_and_afterwards_torch_has_as_many_as_before() -> None:
    seen: list[int] = []
    side_by_side(lambda _: seen.append(torch.get_num_threads()), range(5))
    assert seen == [1] * 5
    assert of_a_new_thread() == THREADS


def test_of_two_at_a_time_both_have_all_threads_and_the_last_leaves_all() -> None:
    inside, finished = Event(), Event()

    def first(_: int) -> None:
        inside.set()
        assert finished.wait(PATIENCE_S)

    def second() -> None:
        at_once(THREADS)
        finished.set()

    with ThreadPoolExecutor(2) as two:
        begun = two.submit(side_by_side, first, range(1))
        assert inside.wait(PATIENCE_S)
        two.submit(second).result()
        begun.result()
    assert of_a_new_thread() == THREADS


def test_a_first_that_ends_before_the_second_leaves_all_threads() -> None:
    inside, second_inside, first_done = Event(), Event(), Event()

    def first(_: int) -> None:
        inside.set()
        assert second_inside.wait(PATIENCE_S)

    def second(_: int) -> None:
        second_inside.set()
        assert first_done.wait(PATIENCE_S)

    with ThreadPoolExecutor(2) as two:
        begun = two.submit(side_by_side, first, range(1))
        assert inside.wait(PATIENCE_S)
        following = two.submit(side_by_side, second, range(1))
        begun.result()
        first_done.set()
        following.result()
    assert of_a_new_thread() == THREADS


def test_a_thread_that_met_torch_while_others_worked_has_all_threads_afterwards() -> None:
    with ThreadPoolExecutor(1) as later:
        side_by_side(lambda _: later.submit(torch.get_num_threads).result(), range(1))
        later.submit(at_once, THREADS).result()
    assert of_a_new_thread() == THREADS
