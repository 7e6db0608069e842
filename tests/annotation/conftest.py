"""A real Label Studio with two users, and sheets to ask about."""

import hashlib
import io
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from annotation import Site, local_picture_url
from catalog.schema import Question
from deployments.label_studio import Credentials
from tests.conftest import RunningStack

REPOSITORY = Path(__file__).parents[2]
PICTURES = "previews"


@dataclass(frozen=True)
class RunningLabelStudio:
    """Where it answers, who may sign in, and the folder whose pictures it serves."""

    url: str
    credentials: Credentials
    pictures: Path

    @property
    def site(self) -> Site:
        return Site("local", self.url, self.credentials.admin_token)

    @property
    def annotator_site(self) -> Site:
        return Site("local", self.url, self.credentials.annotator_token)


@pytest.fixture(scope="session")
def label_studio(stack: RunningStack) -> RunningLabelStudio:
    pictures = stack.site.pictures / PICTURES
    pictures.mkdir(exist_ok=True)
    return RunningLabelStudio(stack.site.url, stack.credentials, pictures)


@pytest.fixture
def site(label_studio: RunningLabelStudio) -> Site:
    return label_studio.site


def make_question(*image_ids: str, locale: str = "en-US") -> Question:
    """A question that no other test asks."""
    return Question(
        id=uuid.uuid4().hex,
        kind="verify",
        locale=locale,
        site="local",
        cluster_id="cluster",
        sheet=0,
        image_ids=list(image_ids),
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
    return local_picture_url(f"{PICTURES}/{image_id}.jpg")
