"""The local Label Studios: their virtual environment, a server for each site, and its people."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from deployments.logins import Credentials, Person
from deployments.service import Service, StackError, answers
from tasks.settings import Settings

VERSION = "1.23.2"
CONSTRAINTS = Path(__file__).with_name("label-studio-constraints.txt")
VENV_VARIABLE = "GROUNDTRUTH_LABEL_STUDIO_VENV"
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class LocalSite:
    """A Label Studio on this machine, for the annotators of one vendor and for nobody else.

    The open-source edition lets every user see, export and delete everything, so a vendor gets a
    server with users, a database and pictures of its own: it serves what lies in the folder
    `pictures`, and nothing else.
    """

    name: str
    port: int
    locales: tuple[str, ...]
    n_annotators: int
    data: Path
    pictures: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def folder(self) -> Path:
        return self.data / "servers" / "label-studio" / self.name

    @property
    def credentials_file(self) -> Path:
        return self.folder / "credentials.json"

    def credentials(self) -> Credentials | None:
        """The logins, or None before the first start."""
        path = self.credentials_file
        return Credentials.load(path) if path.exists() else None

    def server(self) -> Service:
        """The Label Studio server, which serves the pictures as well."""
        return Service(
            name=f"label-studio-{self.name}",
            command=[
                *(str(environment_folder() / "bin" / "label-studio"), "start", "--no-browser"),
                *("--internal-host", "127.0.0.1", "--port", str(self.port)),
            ],
            environment=self._environment,
            folder=self.data / "servers",
            working_directory=self.folder,
            is_ready=lambda: answers(f"{self.url}/health"),
            port=self.port,
            port_setting=f"servers.label_studio.{self.name}.port",
        )

    def sign_in(self) -> Credentials:
        """Check every login, and sign up by invitation those who have none yet.

        Raises `StackError` when the server knows another login than the one on file.
        """
        known = self._made_credentials()
        self._require_token(known.admin)
        known = replace(
            known,
            lead=self._with_token(known.lead, known.admin),
            annotators=tuple(self._with_token(each, known.admin) for each in known.annotators),
        )
        known.save(self.credentials_file)
        for person in (known.lead, *known.annotators):
            self._require_token(person)
        return known

    def _made_credentials(self) -> Credentials:
        """The logins, as many as the settings ask for, on file."""
        known = self.credentials() or Credentials.create(self.name)
        known = known.with_annotators(self.name, self.n_annotators)
        known.save(self.credentials_file)
        return known

    def _environment(self) -> dict[str, str]:
        known = self._made_credentials()
        self.pictures.mkdir(parents=True, exist_ok=True)
        return {
            **os.environ,
            # Inherited, these two would give several sites one database, or one signature. The key
            # that Label Studio makes for itself it cannot read again if it begins with "$": all
            # tokens would be void after a restart.
            "DJANGO_DB": "sqlite",
            "SECRET_KEY": known.signing_key,
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder),
            "LABEL_STUDIO_USERNAME": known.admin.email,
            "LABEL_STUDIO_PASSWORD": known.admin.password,
            "LABEL_STUDIO_USER_TOKEN": known.admin.token,
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
            "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
            "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(self.pictures),
            # Label Studio refuses to send webhooks to loopback, where alone this stack listens.
            # Whoever signs in may then have it call any address that this machine reaches, so the
            # protection stays on wherever Label Studio serves people on other machines.
            "SSRF_PROTECTION_ENABLED": "false",
            "COLLECT_ANALYTICS": "False",
            "LATEST_VERSION_CHECK": "False",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
        }

    def _require_token(self, person: Person) -> None:
        whoami = httpx.get(
            f"{self.url}/api/current-user/whoami",
            headers={"Authorization": f"Token {person.token}"},
            timeout=30,
        )
        if not (whoami.is_success and whoami.json()["email"] == person.email):
            raise StackError(
                f"Label Studio does not accept the token of {person.email} on file in "
                f"{self.credentials_file} (HTTP {whoami.status_code}). Restore that "
                f"file, or, to start with an empty Label Studio, move {self.folder} away."
            )

    def _with_token(self, person: Person, admin: Person) -> Person:
        return person if person.token else replace(person, token=self._sign_up(person, admin))

    def _sign_up(self, person: Person, admin: Person) -> str:
        """Sign a person up by invitation, or in if already known; returns the API token."""
        invitation = httpx.get(
            f"{self.url}/api/invite", headers={"Authorization": f"Token {admin.token}"}, timeout=30
        )
        login = {"email": person.email, "password": person.password}
        for form in (invitation.raise_for_status().json()["invite_url"], "/user/login/"):
            with httpx.Client(base_url=self.url, timeout=30) as visitor:
                page = visitor.get(form)
                visitor.post(form, data={**login, "csrfmiddlewaretoken": _csrf_token(page.text)})
                answer = visitor.get("/api/current-user/token")
                if answer.is_success:
                    return str(answer.json()["token"])
        raise StackError(
            f"Label Studio at {self.url} let {person.email} neither sign up nor log in. Delete that"
            " user in Label Studio's organization page, then start again."
        )


def local_sites(settings: Settings) -> Sequence[LocalSite]:
    """The Label Studios that this machine is to run."""
    blobs = settings.blob_store.local_root or settings.data / "blobs"
    return [
        LocalSite(
            name=name,
            port=each.port,
            locales=tuple(each.locales),
            n_annotators=each.annotators,
            data=settings.data,
            pictures=blobs / "sites" / name,
        )
        for name, each in settings.servers.label_studio.items()
    ]


def environment_folder() -> Path:
    """Where Label Studio is installed: ``$GROUNDTRUTH_LABEL_STUDIO_VENV``, or beside this code."""
    return Path(os.environ.get(VENV_VARIABLE, ROOT / ".venv-label-studio")).resolve()


def is_installed(folder: Path) -> bool:
    """Whether the environment holds Label Studio; pip writes its record last of all."""
    record = f"lib/python*/site-packages/label_studio-{VERSION}.dist-info/RECORD"
    return any(folder.glob(record))


def install(folder: Path) -> None:
    """Make a virtual environment with Label Studio, which cannot share one with Prefect."""
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [
            *(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"),
            *("--constraint", str(CONSTRAINTS), f"label-studio=={VERSION}"),
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(
                f"Label Studio could not be installed into {folder}: "
                f"{' '.join(command)} failed:\n{done.stderr}"
            )


def _csrf_token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    return found[1] if found else ""


if __name__ == "__main__":
    if not is_installed(environment_folder()):
        install(environment_folder())
