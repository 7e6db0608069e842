"""The settings of a deployment: `groundtruth.toml`, overridden by ``GROUNDTRUTH_*`` variables."""

import datetime as dt
import os
import re
import tomllib
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    Field,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from annotation import AGGREGATORS, Asking, Effort, Guarantee, Votes, Wording
from annotation.targets import Targets
from catalog import BlobStore, Catalog
from catalog.exports import About
from catalog.manifest import Listing
from catalog.reach import Reach
from expectations.pictures import PicturePolicy
from expectations.plan import Plan
from expectations.policy import LabelPolicy
from tasks.errors import SettingsError
from workforce.records.company import Company
from workforce.reviews.documents import Stationery
from workforce.reviews.scorecard import Scorecard
from workforce.reviews.wording import Wording as ReportWording

SETTINGS_VARIABLE = "GROUNDTRUTH_SETTINGS"
Port = Annotated[int, Field(ge=1024, le=65535)]


def _names_a_site(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9](-?[a-z0-9]){0,39}", name) or re.search(
        r"-(lead|simulated-\d+)$", name
    ):
        raise ValueError(
            f"{name!r} cannot name a site: use lower-case letters, digits and single dashes, 40"
            " characters at most, and neither of the endings -lead and -simulated-1, which name"
            " the keys of a site's people"
        )
    return name


SiteName = Annotated[str, AfterValidator(_names_a_site)]
BlockName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Ingest(BaseModel, extra="forbid"):
    max_bytes: PositiveInt = 40_000_000
    max_pixels: PositiveInt = 60_000_000
    preview_side: PositiveInt = 320
    sources: tuple[str, ...] = ("https://",)

    @field_validator("sources")
    @classmethod
    def _beside_the_settings_file(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            each if "://" in each else str(settings_file().parent / Path(each).expanduser())
            for each in sources
        )

    def read(self, listing: Listing) -> bytes:
        """The file of `listing`; raises as `catalog.reach.Reach.read` does."""
        reach = Reach((listing.beside, *self.sources))
        return reach.read(listing.uri, at_most=self.max_bytes)


class Annotate(BaseModel, extra="forbid"):
    sites: list[SiteName] = Field(["local"], min_length=1)
    webhooks_url: AnyHttpUrl | None = None
    asking: Asking = Asking()
    votes: Votes = Votes()
    acceptance: Guarantee = Guarantee()
    consensus: str = "dawid-skene"
    effort: Effort = Effort()
    audits_per_round: PositiveInt = 400
    targets: Targets = Targets()

    @field_validator("consensus")
    @classmethod
    def _is_an_aggregator(cls, name: str) -> str:
        if name not in AGGREGATORS:
            raise ValueError(f"{name!r} is none of {', '.join(AGGREGATORS)}")
        return name

    @field_validator("sites")
    @classmethod
    def _each_once(cls, sites: list[str]) -> list[str]:
        if twice := sorted({name for name in sites if sites.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there more than once: name each site once")
        return sites


class EncoderSettings(BaseModel, extra="forbid"):
    backbone: str = "convnet"
    image_size: int = Field(64, ge=32, le=1024)
    dim: PositiveInt = 128
    epochs: PositiveInt = 24


class HiLanderSettings(BaseModel, extra="forbid"):
    n_neighbors: PositiveInt = 30
    tau: float | None = Field(None, ge=0, le=1)


class Retrain(BaseModel, extra="forbid"):
    holdout_share: float = Field(0.25, gt=0, lt=1)
    smallest_gain: float = Field(0.0, ge=0, lt=1)
    sure: float = Field(0.9, gt=0.5, lt=1)
    locale_margin: float = Field(0.05, ge=0, lt=1)
    warm_start: bool = False
    new_labels_share: float = Field(0.1, gt=0)
    drift_at_least: float = Field(0.75, gt=0.5, le=1)
    seed: int = Field(0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _effort_has_moved(cls, given: Any) -> Any:
        if isinstance(given, dict) and "effort" in given:
            raise ValueError(
                "how long people need is now in [annotate.effort]: rename [retrain.effort], or"
                " GROUNDTRUTH_RETRAIN__EFFORT to GROUNDTRUTH_ANNOTATE__EFFORT"
            )
        return given


class Compute(BaseModel, extra="forbid"):
    runner: Literal["threads", "dask"] = "threads"
    workers: PositiveInt = 2
    address: str | None = None
    images_per_shard: int = Field(65_536, ge=1024, multiple_of=1024)
    training_processes: PositiveInt = 1

    @model_validator(mode="after")
    def _a_cluster_has_an_address(self) -> "Compute":
        if self.address is not None and self.runner != "dask":
            raise ValueError('address names a Dask cluster: set runner = "dask", or take it out')
        return self


class LocalLabelStudio(BaseModel, extra="forbid"):
    """A Label Studio on this machine, for one vendor."""

    port: Port
    locales: list[str] = []
    annotators: int = Field(1, ge=1, le=100)


class Servers(BaseModel, extra="forbid"):
    prefect_port: Port = 4200
    webhooks_port: Port = 4210
    label_studio: dict[SiteName, LocalLabelStudio] = {"local": LocalLabelStudio(port=8080)}

    @property
    def prefect_api(self) -> str:
        """Where the local Prefect answers."""
        return f"http://127.0.0.1:{self.prefect_port}/api"

    @model_validator(mode="after")
    def _have_ports_of_their_own(self) -> "Servers":
        owners: dict[int, str] = {}
        for setting, port in (
            ("prefect_port", self.prefect_port),
            ("webhooks_port", self.webhooks_port),
            *((f"label_studio.{name}.port", each.port) for name, each in self.label_studio.items()),
        ):
            if port in owners:
                raise ValueError(f"{setting} and {owners[port]} are both {port}: change one")
            owners[port] = setting
        return self


class Blocks(BaseModel, extra="forbid"):
    """The Prefect blocks that replace what stands in the settings file, by their names."""

    catalogue: BlockName | None = None
    blobs: BlockName | None = None
    gate: BlockName | None = None


class Notifications(BaseModel, extra="forbid"):
    """Where it is told that something went wrong: a notification block, as its type and name."""

    block: str | None = Field(None, pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")


class Foresight(BaseModel, extra="forbid"):
    due: dict[str, dt.date] = {}


class Reviews(BaseModel, extra="forbid"):
    language: str = "en"
    scorecard: Scorecard = Scorecard()

    @field_validator("language")
    @classmethod
    def _has_texts(cls, language: str) -> str:
        ReportWording.load(language)
        return language


class Documents(BaseModel, extra="forbid"):
    sender: tuple[str, ...] = ()
    language: str = "en"
    templates: Path | None = None

    @field_validator("language")
    @classmethod
    def _has_texts(cls, language: str) -> str:
        ReportWording.load(language)
        return language

    def stationery(self, language: str | None) -> Stationery:
        """What documents are written on, in a language other than the usual one where given."""
        return Stationery(
            ReportWording.load(language or self.language), self.sender, self.templates
        )


class Observability(BaseModel, extra="forbid"):
    """How the loop is watched; `metrics_token` and `backup` stand in `groundtruth.toml`."""

    logs: Literal["text", "json"] = "text"
    metrics_token: Path | None = None
    backup: str | None = None
    backup_within_days: float = Field(8.0, gt=0)
    free_at_least: float = Field(0.1, gt=0, lt=1)
    model_within_days: float = Field(60.0, gt=0)


class Settings(BaseSettings):
    """Everything that a person configures; secrets live in Prefect blocks, not here."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDTRUTH_", env_nested_delimiter="__", extra="forbid"
    )

    data: Path = Path(".groundtruth")
    catalogue: str | None = Field(None, repr=False)  # may hold a password
    blobs: str | None = Field(None, repr=False)
    locales: list[str] = ["en-US", "de-DE", "sv-SE", "ja-JP", "ar-EG"]
    ingest: Ingest = Ingest()
    pictures: PicturePolicy = PicturePolicy()
    plan: Plan = Plan()
    annotate: Annotate = Annotate()
    encoder: EncoderSettings = EncoderSettings()
    hilander: HiLanderSettings = HiLanderSettings()
    retrain: Retrain = Retrain()
    compute: Compute = Compute()
    gate: LabelPolicy = LabelPolicy()
    dataset: About = About()
    company: Company = Company()
    servers: Servers = Servers()
    blocks: Blocks = Blocks()
    notifications: Notifications = Notifications()
    foresight: Foresight = Foresight()
    review: Reviews = Reviews()
    documents: Documents = Documents()
    observability: Observability = Observability()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, toml_file=settings_file()),
        )

    @field_validator("data")
    @classmethod
    def _beside_the_settings_file(cls, data: Path) -> Path:
        return (settings_file().parent / data).resolve()

    @field_validator("locales")
    @classmethod
    def _have_wording(cls, locales: list[str]) -> list[str]:
        for locale in locales:
            Wording.load(locale)
        return locales

    @model_validator(mode="after")
    def _plan_known_locales(self) -> "Settings":
        if unknown := sorted(set(self.plan.locales) - set(self.locales)):
            raise ValueError(
                f"plan.locales names {', '.join(unknown)}, which `locales` does not: correct it, or"
                " add it there"
            )
        return self

    @property
    def catalogue_url(self) -> str:
        from tasks import blocks

        if self.blocks.catalogue is not None:
            named = blocks.load(blocks.Catalogue, self.blocks.catalogue, self.servers.prefect_api)
            return named.url.get_secret_value()
        return self.catalogue or f"sqlite:///{self.data / 'catalogue.sqlite'}"

    @property
    def metrics_token_file(self) -> Path:
        """The file with the token that metrics are asked for with."""
        named = self.observability.metrics_token
        own = self.data / "servers" / "metrics-token"
        return own if named is None else settings_file().parent / named

    @cached_property
    def catalog(self) -> Catalog:
        return Catalog(self.catalogue_url)

    @cached_property
    def blob_store(self) -> BlobStore:
        from tasks import blocks

        if self.blocks.blobs is not None:
            named = blocks.load(blocks.Blobs, self.blocks.blobs, self.servers.prefect_api)
            return BlobStore(named.url, named.options)
        return BlobStore(self.blobs or f"file://{self.data / 'blobs'}")


def settings_file() -> Path:
    """The settings file in force: ``$GROUNDTRUTH_SETTINGS``, or `groundtruth.toml` here."""
    return Path(os.environ.get(SETTINGS_VARIABLE, "groundtruth.toml")).resolve()


@cache
def load_settings() -> Settings:
    """Read the settings; raises `SettingsError` that names each value to mend."""
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsError(f"{settings_file()} cannot be used: {problems}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{settings_file()} is no TOML: {error}") from error
    if settings.blocks.gate is None:
        return settings
    from tasks import blocks

    named = blocks.load(blocks.GatePolicy, settings.blocks.gate, settings.servers.prefect_api)
    return settings.model_copy(update={"gate": named.policy})
