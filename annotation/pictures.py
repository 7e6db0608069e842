"""The pictures that a site's annotators see: those of the questions asked there, and no others.

Each site has a folder of its own, `sites/<site>/` in the blob store, into which the previews asked
about there are shared. Every user of a Label Studio may open whatever its server can read, so the
server must be able to read no more than that folder:

* Local files: the server's document root is `sites/<site>`, and its `previews` are registered.
* S3: the bucket stays private, and browsers are sent to presigned addresses. **Label Studio
  compares only the bucket of what it is asked for, not the prefix that is registered**: whoever has
  signed in may ask it to sign any key of the bucket. The credentials that it is given must
  therefore allow ``s3:GetObject`` on ``sites/<site>/*`` and ``s3:ListBucket`` with that prefix,
  and nothing else; S3 then refuses what they do not allow, however it was signed.

On S3 an address names the project instead of relying on ``s3://`` addresses being rewritten: of
several in one text, Label Studio rewrites only the first.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from label_studio_sdk import LabelStudio

from annotation.connection import ONCE
from catalog import BlobStore
from catalog.images import preview_key

_AT_ONCE = 16


@dataclass(frozen=True)
class S3Access:
    """How one site's Label Studio reads its folder; `endpoint` is empty for AWS itself."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    endpoint: str = ""


@dataclass(frozen=True)
class LocalPictures:
    """A folder of the server's machine, strictly below its document root."""

    folder: Path

    def register(self, client: LabelStudio, project_id: int) -> None:
        """See that signed-in users of the project may open the files of the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        storages = client.import_storage.local
        if str(self.folder) not in {storage.path for storage in storages.list(project=project_id)}:
            storages.create(
                project=project_id,
                path=str(self.folder),
                use_blob_urls=True,
                request_options=ONCE,
            )


@dataclass(frozen=True)
class S3Pictures:
    """The keys below `prefix` in a private bucket; there must be one already."""

    bucket: str
    prefix: str
    access: S3Access

    @property
    def policy(self) -> dict[str, Any]:
        """The IAM policy of the user whom `access` belongs to: all that Label Studio needs."""
        bucket = f"arn:aws:s3:::{self.bucket}"
        below = {"StringLike": {"s3:prefix": [self.prefix, f"{self.prefix}/*"]}}
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "s3:GetObject",
                    "Resource": f"{bucket}/{self.prefix}/*",
                },
                {
                    "Effect": "Allow",
                    "Action": "s3:ListBucket",
                    "Resource": bucket,
                    "Condition": below,
                },
            ],
        }

    def register(self, client: LabelStudio, project_id: int) -> None:
        """See that signed-in users of the project are sent to presigned addresses."""
        storages = client.import_storage.s3
        wanted = {
            "bucket": self.bucket,
            "prefix": self.prefix,
            "aws_access_key_id": self.access.access_key,
            "aws_secret_access_key": self.access.secret_key,
            "region_name": self.access.region,
            "s3endpoint": self.access.endpoint,
            "use_blob_urls": True,
            "presign": True,
        }
        for storage in storages.list(project=project_id):
            if (storage.bucket, storage.prefix) == (self.bucket, self.prefix):
                storages.update(storage.id, project=project_id, **wanted)
                return
        storages.create(project=project_id, **wanted, request_options=ONCE)


PictureSource = LocalPictures | S3Pictures


@dataclass(frozen=True)
class SitePictures:
    """The previews of `blobs` that are shared with the annotators of one site.

    `access` is what that site's Label Studio reads them by, where they are on S3.
    """

    site: str
    blobs: BlobStore
    access: S3Access | None = None

    def share(self, image_ids: Iterable[str]) -> None:
        """Put the previews of images where the site's annotators can see them.

        Raises `FileNotFoundError` for an image without a preview.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self._share, set(image_ids)):
                pass

    def unshare(self, image_ids: Iterable[str]) -> None:
        """Take the previews of images away from the site's annotators."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self.blobs.delete, map(self._key, set(image_ids))):
                pass

    def url(self, project_id: int, image_id: str) -> str:
        """The address of an image's preview for who signed in, as a task's HTML names it."""
        if self.blobs.local_root:
            return f"/data/local-files/?d={quote(preview_key(image_id))}"
        address = f"{self.blobs.url.rstrip('/')}/{self._key(image_id)}"
        name = urlsafe_b64encode(address.encode()).decode()
        return f"/projects/{project_id}/resolve/?fileuri={name}"

    @property
    def source(self) -> PictureSource:
        """What to register with each of the site's projects, once pictures are shared."""
        if root := self.blobs.local_root:
            return LocalPictures(root / self._folder / "previews")
        if self.access is None:
            raise ValueError(
                f"the pictures are at {self.blobs.url}, and Label Studio has nothing to read them "
                f"by: give the block of the site {self.site!r} an access key for its own folder, "
                f"{self._folder}/*"
            )
        address = urlsplit(self.blobs.url)
        below = f"{address.path.strip('/')}/{self._folder}/previews".strip("/")
        return S3Pictures(address.netloc, below, self.access)

    @property
    def _folder(self) -> str:
        return f"sites/{quote(self.site, safe='')}"

    def _key(self, image_id: str) -> str:
        return f"{self._folder}/{preview_key(image_id)}"

    def _share(self, image_id: str) -> None:
        self.blobs.share(preview_key(image_id), self._key(image_id))
