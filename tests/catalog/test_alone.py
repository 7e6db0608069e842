"""Work that is done alone: others wait, and a holder that is killed holds nothing."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from catalog import Catalog

HOLD = """
import sys
from catalog import Catalog

with Catalog(sys.argv[1]).alone("retrain"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def held_by_another_process(url: str) -> Iterator[subprocess.Popen[str]]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def test_who_comes_second_waits_until_the_first_has_ended(new_database: Callable[[], str]) -> None:
    url = new_database()
    catalog = Catalog(url)
    with held_by_another_process(url) as holder, catalog.alone("retrain", lambda: end(holder)):
        assert holder.poll() == 0


def end(holder: subprocess.Popen[str]) -> None:
    assert holder.poll() is None
    assert holder.stdin is not None
    holder.stdin.write("end\n")
    holder.stdin.flush()
    holder.wait()


def test_a_killed_holder_holds_nothing(new_database: Callable[[], str]) -> None:
    url = new_database()
    catalog = Catalog(url)
    waited = []
    with held_by_another_process(url) as holder:

        def kill() -> None:
            waited.append(holder.poll())
            holder.kill()

        with catalog.alone("retrain", kill):
            holder.wait()
    assert waited == [None]


def test_other_work_waits_for_nobody(new_database: Callable[[], str]) -> None:
    url = new_database()
    catalog = Catalog(url)
    waited: list[str] = []
    with (
        held_by_another_process(url),
        catalog.alone("collect", lambda: waited.append("collect")),
    ):
        pass
    assert waited == []


def test_threads_of_a_process_wait_for_each_other(new_database: Callable[[], str]) -> None:
    catalog = Catalog(new_database())
    waits = threading.Event()
    order: list[str] = []

    def second() -> None:
        with catalog.alone("retrain", waits.set):
            order.append("second")

    with catalog.alone("retrain"):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(60)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]
