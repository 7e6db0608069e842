"""The local stack with its real servers, started once for all the tests that need it."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployments import label_studio
from deployments.label_studio import Credentials
from deployments.stack import StackStatus, down, up
from tasks.settings import Servers, Settings

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class RunningStack:
    settings: Settings
    status: StackStatus
    credentials: Credentials


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens, all different."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Prefect, Label Studio and a worker on free ports, with an empty data directory."""
    prefect_port, label_studio_port = free_ports(2)
    settings = Settings(
        data=tmp_path_factory.mktemp("stack"),
        servers=Servers(prefect_port=prefect_port, label_studio_port=label_studio_port),
    )
    try:
        status = up(settings)
        known = label_studio.credentials(settings)
        assert known is not None
        yield RunningStack(settings, status, known)
    finally:
        down(settings)
