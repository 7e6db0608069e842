"""The settings of a deployment: `groundtruth.toml`, overridden by ``GROUNDTRUTH_*`` variables."""

import datetime as dt
import os
import re
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


class Ingest(BaseModel, extra="forbid"):
    max_bytes: PositiveInt = 40_000_000
    max_pixels: PositiveInt = 60_000_000
    preview_side: PositiveInt = 320


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


class Settings(BaseSettings):
    """Everything that a person configures; secrets live in Prefect blocks, not here."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDTRUTH_", env_nested_delimiter="__", extra="forbid"
    )

    data: Path = Path(".groundtruth")
    catalogue: str | None = None
    blobs: str | None = None
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
    foresight: Foresight = Foresight()
    review: Reviews = Reviews()
    documents: Documents = Documents()

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
        return self.catalogue or f"sqlite:///{self.data / 'catalogue.sqlite'}"

    @cached_property
    def catalog(self) -> Catalog:
        return Catalog(self.catalogue_url)

    @cached_property
    def blob_store(self) -> BlobStore:
        return BlobStore(self.blobs or f"file://{self.data / 'blobs'}")


def settings_file() -> Path:
    """The settings file in force: ``$GROUNDTRUTH_SETTINGS``, or `groundtruth.toml` here."""
    return Path(os.environ.get(SETTINGS_VARIABLE, "groundtruth.toml")).resolve()


@cache
def load_settings() -> Settings:
    """Read the settings; raises `SettingsError` that names each value to mend."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsError(f"{settings_file()} cannot be used: {problems}") from error
