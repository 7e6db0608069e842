"""The local stack with its real servers, started once for all the tests that need it."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

import hypothesis
import pytest

from deployments.label_studio import LocalSite, local_sites
from deployments.logins import Credentials
from deployments.stack import StackStatus, down, up
from tasks.settings import LocalLabelStudio, Servers, Settings

# Speed is measured in `benchmarks/`: on a busy machine an example takes as long as it takes.
hypothesis.settings.register_profile("groundtruth", deadline=None)
hypothesis.settings.load_profile("groundtruth")

ROOT = Path(__file__).resolve().parents[1]
_CHANCE = SystemRandom()


class Logins(Credentials):
    """The logins of a site where *the* annotator is the first one."""

    admin_email = property(lambda self: self.admin.email)
    admin_password = property(lambda self: self.admin.password)
    admin_token = property(lambda self: self.admin.token)
    annotator_email = property(lambda self: self.annotators[0].email)
    annotator_password = property(lambda self: self.annotators[0].password)
    annotator_token = property(lambda self: self.annotators[0].token)


def logins_of(site: LocalSite) -> Logins:
    known = site.credentials()
    assert known is not None
    return Logins(**vars(known))


@dataclass(frozen=True)
class RunningStack:
    """The running servers; `site` is the first of the settings, `credentials` are its logins."""

    settings: Settings
    status: StackStatus

    @property
    def site(self) -> LocalSite:
        return local_sites(self.settings)[0]

    @property
    def credentials(self) -> Logins:
        return logins_of(self.site)


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens, all different.

    They lie below those that the kernel hands out by itself: one of those may become the near end
    of any connection while a server is down that is to start again on it.
    """
    found: set[int] = set()
    while len(found) < count:
        port = _CHANCE.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.add(port)
    return list(found)


def servers_on_free_ports(**label_studios: dict[str, Any]) -> Servers:
    """Servers on free ports: Prefect, webhooks, and the Label Studios with the given settings."""
    prefect_port, webhooks_port, *ports = free_ports(2 + len(label_studios))
    return Servers(
        prefect_port=prefect_port,
        webhooks_port=webhooks_port,
        label_studio={
            name: LocalLabelStudio(port=port, **given)
            for (name, given), port in zip(label_studios.items(), ports, strict=True)
        },
    )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Prefect, one Label Studio with two annotators, a worker and webhooks, with no data."""
    settings = Settings(
        data=tmp_path_factory.mktemp("stack"),
        servers=servers_on_free_ports(local={"annotators": 2}),
    )
    try:
        yield RunningStack(settings, up(settings))
    finally:
        down(settings)
