"""Work that is done block by block, many at a time, with the same bits however many at a time.

A sum of floats depends on its order, and libraries choose it by the shape of their arguments and by
the number of threads. So work is cut into blocks that follow from the data alone, and each is done
by one thread: which thread, on which machine of one kind, and what else is done beside it change
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

BLOCK = 1024
"""Rows that are worked on at a time. Where rows are shared out, the parts are runs of blocks."""


def side_by_side(
    work: Callable[[int], None], blocks: Sequence[int], *, showing: str | None = None
) -> None:
    """Do the work on every block, as many at a time as torch has threads, each with one.

    Threads that share one small operation spend their time waiting for each other at its end, the
    more so on a busy machine; these wait once. A progress bar shows what is done, if it has a name.
    """
    with (
        _THREADS.each_alone() as n_threads,
        ThreadPoolExecutor(n_threads, initializer=_work_alone) as pool,
    ):
        done = pool.map(work, blocks)
        for _ in tqdm(done, showing, len(blocks), disable=showing is None, unit="block"):
            pass


class _Threads:
    """How many threads torch has, which is one number for the whole process.

    It is 1 while anybody works side by side: the first to begin reads it, and the last to end
    restores it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_users = 0
        self._n_threads = 1

    @contextmanager
    def each_alone(self) -> Iterator[int]:
        with self._lock:
            if self._n_users == 0:
                # A new thread is told the number; one that met a 1 earlier keeps that for itself.
                with ThreadPoolExecutor(1) as fresh:
                    self._n_threads = fresh.submit(torch.get_num_threads).result()
            self._n_users += 1
        try:
            yield self._n_threads
        finally:
            with self._lock:
                self._n_users -= 1
                if self._n_users == 0:
                    torch.set_num_threads(self._n_threads)


_THREADS = _Threads()


def _work_alone() -> None:
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)


def n_blocks(n: int) -> int:
    """Return how many blocks n rows are."""
    return -(-n // BLOCK)


def block_rows(block: int, n: int) -> NDArray[np.int64]:
    """Return the rows of one block of n."""
    return np.arange(block * BLOCK, min((block + 1) * BLOCK, n))
