"""A Prefect server of a benchmark's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployments.orchestration import server
from deployments.service import Service
from tasks.settings import Settings
from tests.conftest import servers_on_free_ports


@contextmanager
def prefect_server(directory: Path) -> Iterator[tuple[str, Service]]:
    """The API of a running server that keeps its data below `directory`, and the server."""
    settings = Settings(data=directory, servers=servers_on_free_ports())
    running = server(settings)
    running.start()
    try:
        running.wait_until_ready()
        yield settings.servers.prefect_api, running
    finally:
        running.stop()
