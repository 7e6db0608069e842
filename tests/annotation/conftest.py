"""A real Label Studio with two users, and sheets to ask about."""

import hashlib
import io
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageDraw

from annotation import LocalPictures, Site
from catalog.schema import Question, QuestionKind
from deployments.label_studio import local_sites
from deployments.service import Service
from tasks.settings import Settings
from tests.conftest import Logins, logins_of, servers_on_free_ports

REPOSITORY = Path(__file__).parents[2]
PICTURES = "previews"


@dataclass(frozen=True)
class RunningLabelStudio:
    """Where it answers, who may sign in, and the folder whose pictures it serves."""

    url: str
    credentials: Logins
    pictures: Path
    server: Service

    @property
    def site(self) -> Site:
        return Site("local", self.url, self.credentials.admin_token)

    @property
    def annotator_site(self) -> Site:
        return Site("local", self.url, self.credentials.annotator_token)

    @property
    def picture_source(self) -> LocalPictures:
        return LocalPictures(self.pictures)


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLabelStudio]:
    """A Label Studio of these tests' own: they change its settings, restart it and break it."""
    settings = Settings(
        data=tmp_path_factory.mktemp("label-studio"),
        servers=servers_on_free_ports(local={"annotators": 2}),
    )
    [local] = local_sites(settings)
    pictures = local.pictures / PICTURES
    pictures.mkdir(parents=True)
    server = local.server()
    server.start()
    try:
        server.wait_until_ready()
        local.sign_in()
        yield RunningLabelStudio(local.url, logins_of(local), pictures, server)
    finally:
        server.stop()


@pytest.fixture
def site(label_studio: RunningLabelStudio) -> Site:
    return label_studio.site


@pytest.fixture(scope="session")
def personal_token(label_studio: RunningLabelStudio) -> str:
    """A personal access token of the admin, who may have one at a time."""
    with httpx.Client(
        base_url=label_studio.url,
        headers={"Authorization": f"Token {label_studio.credentials.admin_token}"},
    ) as admin:
        settings = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True}
        admin.post("/api/jwt/settings", json=settings).raise_for_status()
        return str(admin.post("/api/token/").raise_for_status().json()["token"])


def make_question(
    *image_ids: str,
    kind: QuestionKind = QuestionKind.VERIFY,
    locale: str = "en-US",
    references: Sequence[str] = (),
    suggestion: str | None = None,
) -> Question:
    """A question that no other test asks."""
    return Question(
        id=uuid.uuid4().hex,
        kind=kind,
        locale=locale,
        site="local",
        image_ids=list(image_ids),
        reference_ids=list(references),
        suggestion=suggestion,
    )


def save_picture(folder: Path, colour: str, number: int) -> str:
    """A packet in `colour`, turned a little; its image id."""
    picture = Image.new("RGB", (240 + 20 * (number % 3), 240), f"hsl({number * 47 % 360},40%,88%)")
    packet = Image.new("RGBA", (120, 170), colour)
    ImageDraw.Draw(packet).ellipse((30, 30, 90, 80), fill="white")
    packet = packet.rotate(number % 5 * 8 - 16, expand=True)
    picture.paste(packet, (50, 20), packet)
    content = io.BytesIO()
    picture.save(content, "JPEG")
    image_id = hashlib.sha256(content.getvalue()).hexdigest()
    (folder / f"{image_id}.jpg").write_bytes(content.getvalue())
    return image_id


def picture_url(image_id: str) -> str:
    return f"/data/local-files/?d={PICTURES}/{image_id}.jpg"
