"""A server is known by pid and start time, and leaves nothing behind."""

import os
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deployments.service import BLOCK, LARGEST_LOG, Service, StackError
from tests.conftest import free_ports

SLEEP = "import time; time.sleep(600)"
IGNORE_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
REPORT_READY = "import pathlib; pathlib.Path('ready').touch()"
# A child in a session of its own, as the worker's flow runs are.
START_A_CHILD = (
    "import pathlib, subprocess, sys; "
    f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True); "
    "pathlib.Path('child').write_text(str(child.pid))"
)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Service]]:
    """Servers to stop when the test is over."""
    services: list[Service] = []
    yield services
    for service in services:
        service.stop()


def example(folder: Path, *code: str, port: int | None = None) -> Service:
    return Service(
        name="example",
        command=[sys.executable, "-c", "\n".join(code)],
        environment=lambda: os.environ,
        folder=folder,
        working_directory=folder,
        is_ready=(folder / "ready").exists,
        port=port,
        port_setting="servers.example_port",
        grace_seconds=1,
    )


def begin_and_end(service: Service) -> None:
    (service.folder / "ready").unlink(missing_ok=True)
    service.start()
    service.wait_until_ready()
    service.stop()


def test_a_recycled_pid_is_never_taken_for_ours(tmp_path: Path) -> None:
    service = example(tmp_path, SLEEP)
    service.pid_file.write_text(f"{os.getpid()} {psutil.Process().create_time() - 60}\n")

    assert service.process() is None


def test_starting_what_runs_changes_nothing(tmp_path: Path, started: list[Service]) -> None:
    service = example(tmp_path, REPORT_READY, SLEEP)
    started.append(service)
    service.start()
    service.wait_until_ready()
    first = service.process()

    service.start()

    assert service.process() == first


def test_stop_ends_a_server_that_ignores_sigterm(tmp_path: Path, started: list[Service]) -> None:
    service = example(tmp_path, IGNORE_SIGTERM, REPORT_READY, SLEEP)
    started.append(service)
    service.start()
    service.wait_until_ready()

    service.stop()

    assert service.process() is None


def test_stop_ends_what_the_server_started(tmp_path: Path, started: list[Service]) -> None:
    service = example(tmp_path, START_A_CHILD, REPORT_READY, SLEEP)
    started.append(service)
    service.start()
    service.wait_until_ready()

    service.stop()

    assert not psutil.pid_exists(int((tmp_path / "child").read_text()))


def test_a_new_start_ends_the_children_of_a_killed_server(
    tmp_path: Path, started: list[Service]
) -> None:
    service = example(tmp_path, START_A_CHILD, REPORT_READY, SLEEP)
    started.append(service)
    service.start()
    service.wait_until_ready()
    orphan = psutil.Process(int((tmp_path / "child").read_text()))
    killed = service.process()
    assert killed is not None
    killed.kill()
    killed.wait()

    service.start()

    assert not orphan.is_running()


def test_a_server_that_dies_while_starting_is_reported_with_the_end_of_its_log(
    tmp_path: Path, started: list[Service]
) -> None:
    service = example(tmp_path, "raise SystemExit('no such database')")
    started.append(service)
    service.start()

    with pytest.raises(StackError, match=r"(?s)example ended.*example\.log.*no such database"):
        service.wait_until_ready()


def test_a_server_is_not_healthy_on_a_port_that_it_does_not_own(
    tmp_path: Path, started: list[Service]
) -> None:
    (port,) = free_ports(1)
    service = example(tmp_path, REPORT_READY, SLEEP, port=port)
    started.append(service)
    service.start()

    assert not service.is_healthy()


def test_the_end_of_a_log_is_read_without_the_rest(tmp_path: Path) -> None:
    service = example(tmp_path)
    with service.log.open("wb") as log:
        log.truncate(100 * BLOCK)
        log.seek(0, os.SEEK_END)
        log.write("\n".join(["", *(f"Zeile {n} – ä" for n in range(9_000)), ""]).encode())

    tracemalloc.start()
    end = service.tail(8_000).splitlines()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert end == [f"Zeile {n} – ä" for n in range(1_000, 9_000)]
    assert peak < 50 * BLOCK


def test_a_short_log_is_read_whole(tmp_path: Path) -> None:
    service = example(tmp_path)
    assert service.tail() == ""
    service.log.write_text("first\nlast")
    assert service.tail() == "first\nlast"


def test_a_large_log_is_set_aside_at_a_start_and_three_are_kept(
    tmp_path: Path, started: list[Service]
) -> None:
    service = example(tmp_path, "print('begun', flush=True)", REPORT_READY, SLEEP)
    started.append(service)
    for n in range(5):
        service.log.write_text(f"log {n}")
        os.truncate(service.log, LARGEST_LOG + 1)
        begin_and_end(service)

    names = ["example.log", "example.log.1", "example.log.2", "example.log.3"]
    assert sorted(each.name for each in tmp_path.glob("*.log*")) == names
    texts = [(tmp_path / name).open().read(5) for name in names]
    assert texts == ["begun", "log 4", "log 3", "log 2"]


def test_a_log_that_is_not_large_goes_on(tmp_path: Path, started: list[Service]) -> None:
    service = example(tmp_path, "print('begun', flush=True)", REPORT_READY, SLEEP)
    started.append(service)
    for _ in range(2):
        begin_and_end(service)

    assert service.tail() == "begun\nbegun"
