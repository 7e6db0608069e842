"""The Prefect block that holds what is needed to reach a site: one Label Studio, of one vendor."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import AnyHttpUrl, Field, SecretStr

from annotation import S3Access, Site, SiteError, SitePictures
from catalog import BlobStore
from catalog.identity import digest
from tasks.errors import NoSite
from tasks.settings import Settings

PATIENCE_SECONDS = 300.0
"""How long a site may take to answer, where nobody waits for it."""


@dataclass(frozen=True)
class Connection:
    """What a site says when its connection is tried: whose key it is, and its version."""

    email: str
    version: str


@dataclass(frozen=True)
class TriedSite:
    """What is known of a site after a try; `problem` is None when it works."""

    name: str
    url: str = ""
    version: str = ""
    login: str = ""
    locales: tuple[str, ...] = ()
    problem: str | None = None


class LabelStudioSite(Block):
    """A Label Studio that questions are pushed to and answers are read from."""

    _block_type_name: ClassVar[str] = "Label Studio site"
    _block_type_slug: ClassVar[str] = "label-studio-site"
    _description: ClassVar[str] = (
        "One Label Studio instance, of one vendor: where it is, the key to it, and the locales that"
        " its annotators read. `groundtruth sites` tries the connection."
    )

    url: AnyHttpUrl = Field(description="Address of the Label Studio, as annotators open it.")
    api_key: SecretStr = Field(
        description="A legacy token or a personal access token of a user of the organisation."
    )
    locales: list[str] = Field(
        default=[], description="The locales that it serves, as BCP 47 tags; none: all."
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        description="What its webhooks show, so that they are believed; none: it sends none.",
    )

    pictures_access_key: SecretStr | None = Field(
        default=None,
        description="Where pictures are on S3: an access key that may read the site's own folder.",
    )
    pictures_secret_key: SecretStr | None = Field(default=None, description="Its secret.")
    pictures_region: str = Field(default="us-east-1", description="Region of the bucket.")
    pictures_endpoint: str = Field(default="", description="Address of an S3 that is not Amazon's.")

    def pictures(self, name: str, blobs: BlobStore) -> SitePictures:
        """The pictures of `blobs` that annotators of the site `name` may see."""
        access = None
        if self.pictures_access_key is not None and self.pictures_secret_key is not None:
            access = S3Access(
                self.pictures_access_key.get_secret_value(),
                self.pictures_secret_key.get_secret_value(),
                self.pictures_region,
                self.pictures_endpoint,
            )
        return SitePictures(name, blobs, access)

    def open(self, name: str, patience: float = PATIENCE_SECONDS) -> Site:
        """The site, reachable and ready; raises `annotation.SiteError` where it is not.

        `patience` is how many seconds it may take to answer.
        """
        site = self._site(name, patience)
        site.check()
        return site

    def test_connection(self, name: str) -> Connection:
        """Sign in to the site; raises `annotation.SiteError` that says what to mend."""
        site = self._site(name, PATIENCE_SECONDS)
        return Connection(site.check(), site.version())

    def _site(self, name: str, patience: float) -> Site:
        return Site(name, str(self.url).rstrip("/"), self.api_key.get_secret_value(), patience)


def simulated_site(name: str, number: int) -> str:
    """The block by which simulated annotator `number`, from 1, signs in to the site `name`."""
    return f"{name}-simulated-{number}"


def lead_site(name: str) -> str:
    """The block by which a simulated lead annotator signs in to the site `name`."""
    return f"{name}-lead"


def load_site(name: str) -> LabelStudioSite:
    """The block called `name`; raises `NoSite` where there is none."""
    try:
        return LabelStudioSite.load(name, _sync=True)
    except ValueError as error:
        raise NoSite(
            f"there is no Prefect block {LabelStudioSite._block_type_slug}/{name}: create it in the"
            " Prefect UI under Blocks, or run `groundtruth up`, or correct `sites` under [annotate]"
            " in groundtruth.toml"
        ) from error


def open_site(name: str) -> Site:
    """The site whose block is called `name`; raises `NoSite` where there is no such block."""
    return load_site(name).open(name)


def try_site(name: str) -> TriedSite:
    """Try the connection to the site `name`; what is wrong is told, not raised."""
    try:
        block = load_site(name)
    except NoSite as problem:
        return TriedSite(name, problem=str(problem))
    tried = TriedSite(name, str(block.url), locales=tuple(block.locales))
    try:
        connection = block.test_connection(name)
    except SiteError as problem:
        return replace(tried, problem=str(problem))
    return replace(tried, login=connection.email, version=connection.version)


def sites_for(settings: Settings) -> dict[str, LabelStudioSite]:
    """The block of every site of the settings, in their order; raises `NoSite` for one without."""
    return {name: load_site(name) for name in settings.annotate.sites}


def site_of(locale: str, key: str, blocks: Mapping[str, LabelStudioSite]) -> str:
    """The name of the site that a question in `locale` is put to.

    Where several sites serve the locale, the question's `key` chooses among them: evenly, and the
    same in every run. A site that is added takes over its share and moves no other question.
    Raises `NoSite` where none serves the locale.
    """
    serving = sites_serving(locale, blocks)
    if not serving:
        served = "; ".join(f"{name}: {', '.join(block.locales)}" for name, block in blocks.items())
        raise NoSite(
            f"no site serves {locale} ({served}): add {locale} to the locales of a Label Studio"
            " site, in its Prefect block or, if `groundtruth up` starts it, under"
            " [servers.label_studio] in groundtruth.toml, or name another site in `sites` under"
            " [annotate]"
        )
    return max(serving, key=lambda name: digest(name, key))


def sites_serving(locale: str, blocks: Mapping[str, LabelStudioSite]) -> list[str]:
    """The names of the sites that serve `locale`."""
    return [name for name, block in blocks.items() if locale in (block.locales or [locale])]


def webhook_url(settings: Settings, name: str) -> str:
    """Where the site `name` is to send its webhooks."""
    base = settings.annotate.webhooks_url or f"http://127.0.0.1:{settings.servers.webhooks_port}"
    return f"{str(base).rstrip('/')}/webhooks/{name}"
