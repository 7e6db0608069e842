"""`deployments/compose.yaml` on a machine without containers.

Each service gets a loopback address of its own in place of its name, and folders of its own in
place of its volumes, so that addresses, ports and secrets stay as the file gives them.
"""

import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from deployments.orchestration import ROOT

FOLDER = ROOT / "deployments"
FILE = FOLDER / "compose.yaml"
EXAMPLE = FOLDER / ".env.example"
DOMAIN = "groundtruth.test"
NAMES = Path(__file__).with_name("names")


def names_to_fill_in() -> dict[str, str]:
    """What `.env.example` asks for, with what it already gives."""
    lines = EXAMPLE.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def filled_in() -> dict[str, str]:
    """An `.env` with secrets of its own."""
    made = {name: given or secrets.token_hex(20) for name, given in names_to_fill_in().items()}
    return made | {
        "DOMAIN": DOMAIN,
        "PREFECT_ENCRYPTION_KEY": secrets.token_urlsafe(32).ljust(44, "="),
    }


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """`text` with each ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?why}`` replaced."""

    def value(found: re.Match[str]) -> str:
        name, otherwise = found.groups()
        if given := values.get(name):
            return given
        if otherwise and otherwise.startswith(":-"):
            return otherwise[2:]
        raise ValueError(f"{name} is not given")

    return re.sub(r"\$\{([A-Z0-9_]+)(:[-?][^}]*)?\}", value, text)


@dataclass(frozen=True)
class Composed:
    """The services of the file, on loopback addresses that begin with `network`.

    `secrets` are the values of `.env`; what is written lies below `scratch`, and the certificate
    in `scratch / "secrets"`.
    """

    secrets: Mapping[str, str]
    network: str
    scratch: Path

    @cached_property
    def services(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = yaml.safe_load(interpolated(FILE.read_text(), self.secrets))
        return found["services"]

    def address(self, service: str) -> str:
        return f"{self.network}.{2 + list(self.services).index(service)}"

    def url(self, name: str) -> str:
        """The public address of what is called `name`, for example ``prefect``."""
        return f"https://{name}.{self.secrets['DOMAIN']}"

    def environment(self, service: str) -> dict[str, str]:
        """What the file gives a service, and what leads a program here to the others."""
        authority = str(self.scratch / "secrets" / "ca.crt")
        given = self.services[service].get("environment", {})
        return {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "HOME": str(self._folder(service)),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": f"{NAMES}{os.pathsep}{ROOT}",
            "DOMAIN": self.secrets["DOMAIN"],
            "PROXY_ADDRESS": self.address("proxy"),
            **dict.fromkeys(("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), authority),
            **{name: self._here(str(value), service) for name, value in given.items()},
        }

    def command(self, service: str) -> list[str]:
        own = self.address(service)
        return [part.replace("0.0.0.0", own) for part in self.services[service]["command"]]

    def _here(self, text: str, service: str) -> str:
        """A variable with addresses and folders of this machine in place of the container's."""
        names = "|".join(map(re.escape, sorted(self.services, key=len, reverse=True)))
        text = re.sub(
            rf"(?:(?<=@)|(?<=//)|^)({names})(?=(?::\d+)?(?:/|$))",
            lambda found: self.address(found[1]),
            text,
        )
        text = self.address(service) if text == "0.0.0.0" else text
        for inside, here in self._mounts(service).items():
            if text == inside or text.startswith(f"{inside}/"):
                return f"{here}{text[len(inside) :]}"
        return text

    def _mounts(self, service: str) -> dict[str, Path]:
        mounts = {"/run/secrets": self.scratch / "secrets"}
        for mount in self.services[service].get("volumes", []):
            source, inside, *_ = mount.split(":")
            is_file = source.startswith(".")
            mounts[inside] = (FOLDER / source).resolve() if is_file else self._folder(source)
        for inside in self.services[service].get("tmpfs", []):
            if inside != "/tmp":
                mounts[inside.split(":")[0]] = self._folder(f"{service}{inside.split(':')[0]}")
        return mounts

    def _folder(self, name: str) -> Path:
        folder = self.scratch / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder
