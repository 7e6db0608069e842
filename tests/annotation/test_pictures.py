"""Annotators see the pictures of their own site's questions, and nobody sees any other."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer
from playwright.sync_api import Page

from annotation import S3Access, S3Pictures, Site, SitePictures, Wording, task
from catalog import BlobStore
from catalog.images import preview_key
from catalog.schema import QuestionKind
from tests.annotation.conftest import RunningLabelStudio, make_question, save_picture
from tests.browser import signed_in

VERIFY = QuestionKind.VERIFY
BUCKET = "photos"


@dataclass(frozen=True)
class S3:
    """A real S3 API on loopback that knows a private bucket."""

    endpoint: str

    def client(self, access: S3Access, service: str = "s3") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=access.access_key,
            aws_secret_access_key=access.secret_key,
        )

    def blobs(self, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "owner")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "owner")
        monkeypatch.setenv("AWS_ENDPOINT_URL", self.endpoint)
        return BlobStore(f"s3://{BUCKET}/blobs")

    def enforce_policies(self, after: float) -> None:
        """Ask from now on what each access key is allowed, but for the next `after` requests."""
        httpx.post(f"{self.endpoint}/moto-api/reset-auth", content=str(after)).raise_for_status()


OWNER = S3Access("owner", "owner")


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    s3 = S3("http://{}:{}".format(*server.get_host_and_port()))
    s3.client(OWNER).create_bucket(Bucket=BUCKET)
    yield s3
    server.stop()


@pytest.fixture
def wording() -> Wording:
    locale = f"en-{uuid.uuid4().hex[:8]}"
    return Wording.load("en-US").model_copy(update={"locale": locale})


def add_preview(blobs: BlobStore, folder: Path, colour: str) -> str:
    """The id of an image whose preview is in the blob store."""
    image_id = save_picture(folder, colour, 0)
    blobs.put(preview_key(image_id), (folder / f"{image_id}.jpg").read_bytes())
    return image_id


def get(label_studio: RunningLabelStudio, address: str, *, signed_in: bool) -> httpx.Response:
    token = label_studio.credentials.annotator_token
    headers = {"Authorization": f"Token {token}"} if signed_in else {}
    return httpx.get(f"{label_studio.url}{address}", headers=headers, timeout=60)


def is_shown(page: Page) -> None:
    """Wait until the browser has drawn every picture of the sheet."""
    page.wait_for_selector(".pictures img")
    page.wait_for_function(
        "[...document.querySelectorAll('.pictures img')].every(picture => picture.naturalWidth)"
    )


class TestLocalFiles:
    @pytest.fixture
    def blobs(self, label_studio: RunningLabelStudio) -> BlobStore:
        return BlobStore(f"file://{label_studio.pictures.parents[2]}")

    @pytest.fixture
    def pictures(self, blobs: BlobStore) -> SitePictures:
        return SitePictures("local", blobs)

    @pytest.fixture
    def project(self, site: Site, wording: Wording, pictures: SitePictures) -> int:
        return site.ensure_project(VERIFY, wording, pictures=pictures.source)

    def test_what_is_shared_with_the_site_is_shown_to_who_signed_in(
        self,
        label_studio: RunningLabelStudio,
        site: Site,
        project: int,
        pictures: SitePictures,
        blobs: BlobStore,
        tmp_path: Path,
    ) -> None:
        image_id = add_preview(blobs, tmp_path, "teal")
        pictures.share([image_id])
        question = make_question(image_id)
        sheet = task(question, lambda image: pictures.url(project, image))
        task_id = site.push(project, [sheet])[question.id]
        with signed_in(label_studio.url, label_studio.credentials) as page:
            page.goto(f"{label_studio.url}/projects/{project}/data?task={task_id}")
            is_shown(page)
        assert get(label_studio, pictures.url(project, image_id), signed_in=False).is_error

    def test_a_preview_that_was_not_shared_is_not_found(
        self,
        label_studio: RunningLabelStudio,
        project: int,
        pictures: SitePictures,
        blobs: BlobStore,
        tmp_path: Path,
    ) -> None:
        image_id = add_preview(blobs, tmp_path, "olive")
        address = pictures.url(project, image_id)
        assert get(label_studio, address, signed_in=True).status_code == 404

    def test_the_folder_of_another_site_is_out_of_reach(
        self, label_studio: RunningLabelStudio, project: int, blobs: BlobStore, tmp_path: Path
    ) -> None:
        image_id = add_preview(blobs, tmp_path, "orange")
        SitePictures("other", blobs).share([image_id])
        theirs = f"../other/{preview_key(image_id)}"
        assert blobs.exists(f"sites/other/{preview_key(image_id)}")
        assert get(label_studio, f"/data/local-files/?d={theirs}", signed_in=True).is_error


class TestS3:
    @pytest.fixture
    def blobs(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
        return s3.blobs(monkeypatch)

    @pytest.fixture
    def pictures(self, s3: S3, blobs: BlobStore, image_id: str) -> SitePictures:
        access = S3Access(OWNER.access_key, OWNER.secret_key, endpoint=s3.endpoint)
        pictures = SitePictures("vendor-a", blobs, access)
        pictures.share([image_id])
        return pictures

    @pytest.fixture
    def image_id(self, blobs: BlobStore, tmp_path: Path) -> str:
        return add_preview(blobs, tmp_path, "purple")

    @pytest.fixture
    def project(self, site: Site, wording: Wording, pictures: SitePictures) -> int:
        return site.ensure_project(VERIFY, wording, pictures=pictures.source)

    def test_a_private_picture_is_shown_to_who_signed_in(
        self,
        label_studio: RunningLabelStudio,
        site: Site,
        project: int,
        pictures: SitePictures,
        image_id: str,
    ) -> None:
        question = make_question(image_id)
        sheet = task(question, lambda image: pictures.url(project, image))
        task_id = site.push(project, [sheet])[question.id]
        with signed_in(label_studio.url, label_studio.credentials) as page:
            page.goto(f"{label_studio.url}/projects/{project}/data?task={task_id}")
            is_shown(page)

    def test_a_browser_is_sent_to_an_address_signed_for_one_picture_and_for_a_minute(
        self, label_studio: RunningLabelStudio, project: int, pictures: SitePictures, image_id: str
    ) -> None:
        sent = get(label_studio, pictures.url(project, image_id), signed_in=True)
        address = urlsplit(sent.headers["Location"])
        assert address.path == f"/{BUCKET}/blobs/sites/vendor-a/{preview_key(image_id)}"
        signed = parse_qs(address.query)
        assert signed["X-Amz-Expires"] == ["60"]
        assert len(signed["X-Amz-Signature"][0]) == 64

    def test_anonymous_visitors_reach_neither_label_studio_s_address_nor_the_bucket(
        self,
        label_studio: RunningLabelStudio,
        s3: S3,
        project: int,
        pictures: SitePictures,
        image_id: str,
    ) -> None:
        address = pictures.url(project, image_id)
        assert get(label_studio, address, signed_in=True).status_code == 303
        assert get(label_studio, address, signed_in=False).status_code in (401, 403)
        key = f"blobs/sites/vendor-a/{preview_key(image_id)}"
        assert httpx.get(f"{s3.endpoint}/{BUCKET}/{key}").status_code == 403

    def test_registering_again_renews_the_access_key_of_the_one_storage(
        self, site: Site, wording: Wording, project: int, pictures: SitePictures
    ) -> None:
        site.ensure_project(VERIFY, wording, known=project, pictures=pictures.source)
        storages = httpx.get(
            f"{site.url}/api/storages/s3?project={project}",
            headers={"Authorization": f"Token {site.api_key}"},
        ).json()
        assert [storage["prefix"] for storage in storages] == ["blobs/sites/vendor-a/previews"]

    def test_a_project_signs_nothing_of_a_bucket_that_is_not_its_own(
        self, label_studio: RunningLabelStudio, s3: S3, project: int
    ) -> None:
        address = "/projects/{}/resolve/?fileuri=s3://elsewhere/secret.jpg"
        assert get(label_studio, address.format(project), signed_in=True).status_code == 404

    def test_label_studio_would_sign_any_key_of_the_bucket_so_that_the_policy_must_refuse_it(
        self, label_studio: RunningLabelStudio, blobs: BlobStore, project: int, image_id: str
    ) -> None:
        theirs = SitePictures("vendor-b", blobs).url(project, image_id)
        assert get(label_studio, theirs, signed_in=True).status_code == 303

    def test_the_policy_lets_a_site_read_its_own_folder_and_no_other(
        self, s3: S3, blobs: BlobStore, pictures: SitePictures, image_id: str
    ) -> None:
        SitePictures("vendor-b", blobs, OWNER).share([image_id])
        source = pictures.source
        assert isinstance(source, S3Pictures)
        iam = s3.client(OWNER, "iam")
        iam.create_user(UserName="vendor-a")
        iam.put_user_policy(
            UserName="vendor-a", PolicyName="own", PolicyDocument=json.dumps(source.policy)
        )
        key = iam.create_access_key(UserName="vendor-a")["AccessKey"]
        vendor = s3.client(S3Access(key["AccessKeyId"], key["SecretAccessKey"]))
        s3.enforce_policies(after=0)
        try:
            own = f"blobs/sites/vendor-a/{preview_key(image_id)}"
            assert vendor.get_object(Bucket=BUCKET, Key=own)["ContentLength"]
            for theirs in (own.replace("vendor-a", "vendor-b"), f"blobs/{preview_key(image_id)}"):
                with pytest.raises(ClientError, match="AccessDenied"):
                    vendor.get_object(Bucket=BUCKET, Key=theirs)
        finally:
            s3.enforce_policies(after=float("inf"))

    def test_pictures_on_s3_without_an_access_key_are_told_what_to_give(
        self, blobs: BlobStore
    ) -> None:
        with pytest.raises(ValueError, match=r"block of the site 'vendor-a' an access key"):
            _ = SitePictures("vendor-a", blobs).source
