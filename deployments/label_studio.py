"""The local Label Studio: its own virtual environment, its server, and its two logins."""

import os
import re
import secrets
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import httpx

from deployments.service import Service, StackError
from tasks.settings import Settings

VERSION = "1.23.2"
CONSTRAINTS = Path(__file__).with_name("label-studio-constraints.txt")
VENV_VARIABLE = "GROUNDTRUTH_LABEL_STUDIO_VENV"
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Credentials:
    """The logins of the local Label Studio; kept in a file that only its owner can read.

    The admin's token is what the pipeline uses. The annotator is a second person, who answers in
    the browser or, in the demo, is simulated; Label Studio makes that token at the sign-up.
    """

    admin_email: str
    admin_password: str = field(repr=False)
    admin_token: str = field(repr=False)
    annotator_email: str
    annotator_password: str = field(repr=False)
    annotator_token: str = field(default="", repr=False)

    @classmethod
    def create(cls) -> "Credentials":
        return cls(
            admin_email="admin@groundtruth.local",
            admin_password=secrets.token_urlsafe(18),
            admin_token=secrets.token_hex(20),
            annotator_email="annotator@groundtruth.local",
            annotator_password=secrets.token_urlsafe(18),
        )

    @classmethod
    def load(cls, path: Path) -> "Credentials":
        """Read the file; raises `StackError` when it is not what `save` wrote."""
        pairs = [line.partition("=") for line in path.read_text().splitlines()]
        try:
            return cls(**{name.lower(): value for name, _, value in pairs})
        except TypeError as error:
            raise StackError(
                f"{path} is not a complete list of logins ({error}). Restore it from a backup."
            ) from error

    def save(self, path: Path) -> None:
        """Replace the file in one step, readable by its owner only."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        lines = "".join(f"{name.upper()}={value}\n" for name, value in asdict(self).items())
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(lines)
        part.replace(path)


def credentials(settings: Settings) -> Credentials | None:
    """The logins of this data directory, or None before the first start."""
    path = _credentials_file(settings)
    return Credentials.load(path) if path.exists() else None


def url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.servers.label_studio_port}"


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


def server(settings: Settings) -> Service:
    """The Label Studio server, which serves the pictures in the local blob store as well."""
    port = settings.servers.label_studio_port
    return Service(
        name="label-studio",
        command=[
            *(str(environment_folder() / "bin" / "label-studio"), "start", "--no-browser"),
            *("--internal-host", "127.0.0.1", "--port", str(port)),
        ],
        environment=lambda: _environment(settings),
        folder=settings.data / "servers",
        working_directory=_folder(settings),
        is_ready=lambda: _answers(f"{url(settings)}/health"),
        port=port,
        port_setting="servers.label_studio_port",
    )


def sign_in(settings: Settings) -> Credentials:
    """Check the admin's login and sign the annotator up at the first call.

    Raises `StackError` when the server knows another login than the one on file.
    """
    known = _made_credentials(settings)
    _require_token(settings, known.admin_email, known.admin_token)
    if not known.annotator_token:
        known = replace(known, annotator_token=_sign_up(settings, known))
        known.save(_credentials_file(settings))
    _require_token(settings, known.annotator_email, known.annotator_token)
    return known


def _folder(settings: Settings) -> Path:
    return settings.data / "servers" / "label-studio"


def _credentials_file(settings: Settings) -> Path:
    return _folder(settings) / "credentials.env"


def _made_credentials(settings: Settings) -> Credentials:
    known = credentials(settings)
    if known is None:
        known = Credentials.create()
        known.save(_credentials_file(settings))
    return known


def _environment(settings: Settings) -> dict[str, str]:
    known = _made_credentials(settings)
    return {
        **os.environ,
        "LABEL_STUDIO_BASE_DATA_DIR": str(_folder(settings)),
        "LABEL_STUDIO_USERNAME": known.admin_email,
        "LABEL_STUDIO_PASSWORD": known.admin_password,
        "LABEL_STUDIO_USER_TOKEN": known.admin_token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(settings.data / "blobs"),
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }


def _require_token(settings: Settings, email: str, token: str) -> None:
    whoami = httpx.get(
        f"{url(settings)}/api/current-user/whoami",
        headers={"Authorization": f"Token {token}"},
        timeout=30,
    )
    if not (whoami.is_success and whoami.json()["email"] == email):
        raise StackError(
            f"Label Studio does not accept the token of {email} on file in "
            f"{_credentials_file(settings)} (HTTP {whoami.status_code}). Restore that "
            f"file, or, to start with an empty Label Studio, move {_folder(settings)} away."
        )


def _sign_up(settings: Settings, known: Credentials) -> str:
    """Sign the annotator up by invitation, or in if already known; returns the API token."""
    invitation = httpx.get(
        f"{url(settings)}/api/invite",
        headers={"Authorization": f"Token {known.admin_token}"},
        timeout=30,
    )
    login = {"email": known.annotator_email, "password": known.annotator_password}
    for form in (invitation.raise_for_status().json()["invite_url"], "/user/login/"):
        with httpx.Client(base_url=url(settings), timeout=30) as visitor:
            page = visitor.get(form)
            visitor.post(form, data={**login, "csrfmiddlewaretoken": _csrf_token(page.text)})
            answer = visitor.get("/api/current-user/token")
            if answer.is_success:
                return str(answer.json()["token"])
    raise StackError(
        f"Label Studio let {known.annotator_email} neither sign up nor log in. Delete that user "
        f"in Label Studio's organization page, then start again."
    )


def _csrf_token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    return found[1] if found else ""


def _answers(address: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(address, timeout=5, follow_redirects=True).is_success
    return False


if __name__ == "__main__":
    if not is_installed(environment_folder()):
        install(environment_folder())
