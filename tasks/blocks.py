"""Prefect blocks with forms for what a person configures, beside those of the sites.

A block holds what is secret, or what a person changes without touching a file. Settings name the
blocks that are in use, under ``[blocks]`` in groundtruth.toml; what no block is named for is taken
from the settings themselves.
"""

from typing import ClassVar, TypeVar

import httpx
from prefect.blocks.core import Block
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import Field, SecretStr

from expectations.policy import LabelPolicy
from tasks.errors import SettingsError

AnyBlock = TypeVar("AnyBlock", bound=Block)


class Catalogue(Block):
    """The database behind the catalogue, and the password to it."""

    _block_type_name: ClassVar[str] = "groundtruth catalogue"
    _block_type_slug: ClassVar[str] = "groundtruth-catalogue"
    _description: ClassVar[str] = "Where the catalogue is kept, with the password to it."

    url: SecretStr = Field(description="As postgresql+psycopg://USER:PASSWORD@HOST/NAME.")


class Blobs(Block):
    """The store of pictures, features and models, and the keys to it."""

    _block_type_name: ClassVar[str] = "groundtruth blob store"
    _block_type_slug: ClassVar[str] = "groundtruth-blob-store"
    _description: ClassVar[str] = "Where pictures, features and models are kept, with the keys."

    url: str = Field(description="As s3://BUCKET/PREFIX.")
    access_key: SecretStr | None = Field(
        default=None, description="An access key that may read and write it; none: the machine's."
    )
    secret_key: SecretStr | None = Field(default=None, description="Its secret.")
    region: str = Field(default="us-east-1", description="Region of the bucket.")
    endpoint: str = Field(default="", description="Address of an S3 that is not Amazon's.")

    @property
    def options(self) -> dict[str, object]:
        """What fsspec is given to open the store."""
        if self.access_key is None or self.secret_key is None:
            return {}
        return {
            "key": self.access_key.get_secret_value(),
            "secret": self.secret_key.get_secret_value(),
            "client_kwargs": {"region_name": self.region},
            **({"endpoint_url": self.endpoint} if self.endpoint else {}),
        }


class GatePolicy(Block):
    """What the gate lets through, in place of ``[gate]`` in groundtruth.toml."""

    _block_type_name: ClassVar[str] = "groundtruth gate policy"
    _block_type_slug: ClassVar[str] = "groundtruth-gate-policy"
    _description: ClassVar[str] = "Thresholds and severities of the gate; docs/gate.md explains."

    policy: LabelPolicy = Field(default=LabelPolicy(), description="Each rule and its threshold.")


class VendorContact(Block):
    """Whom to speak to about a vendor's work; the block is named as the vendor's site."""

    _block_type_name: ClassVar[str] = "groundtruth vendor contact"
    _block_type_slug: ClassVar[str] = "groundtruth-vendor-contact"
    _description: ClassVar[str] = "Whom to speak to about a vendor's work; named as its site."

    name: str = Field(description="Who it is.")
    email: str = Field(description="Address for daily work.", pattern=r"^[^@\s]+@[^@\s]+$")
    phone: str = Field(default="", description="In urgent cases.")
    note: str = Field(default="", description="Hours, languages, who stands in.")


FORMS: tuple[type[Block], ...] = (Catalogue, Blobs, GatePolicy, VendorContact)


def register(api: str) -> None:
    """Let the Prefect at `api` show the forms."""
    with temporary_settings({PREFECT_API_URL: api}):
        for form in FORMS:
            form.register_type_and_schema(_sync=True)


def find(kind: type[AnyBlock], name: str, api: str) -> AnyBlock | None:
    """The block called `name`, of the Prefect in use or else the one at `api`; None for none.

    Raises `SettingsError` where that Prefect does not answer.
    """
    address = PREFECT_API_URL.value() or api
    try:
        with temporary_settings({PREFECT_API_URL: address}):
            return kind.load(name, _sync=True)
    except ValueError:
        return None
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        raise SettingsError(
            f"the block {kind._block_type_slug}/{name} cannot be read, because Prefect at {address}"
            " does not answer: start it with `groundtruth up`, or set PREFECT_API_URL"
        ) from error


def load(kind: type[AnyBlock], name: str, api: str) -> AnyBlock:
    """The block called `name`; raises `SettingsError` where there is none."""
    found = find(kind, name, api)
    if found is None:
        raise SettingsError(
            f"there is no Prefect block {kind._block_type_slug}/{name}: create it in the Prefect UI"
            " under Blocks, or correct [blocks] in groundtruth.toml"
        )
    return found
