"""Simulated people, who answer in place of annotators where a demo or a test needs answers."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, Field

from annotation import SimulatedAnnotator
from catalog import content_digest
from catalog.blobs import read_uri
from catalog.manifest import listings
from tasks.settings import load_settings
from tasks.sites import open_site, simulated_site


class SimulatedPeople(BaseModel, extra="forbid"):
    """How simulated annotators answer. They know the truth, err now and then, and take time."""

    truth: str = Field(description="A manifest (uri, locale, product) of what every picture shows.")
    error_rate: float = Field(0.02, ge=0, le=1, description="Chance of a slip, per picture.")
    seconds_per_picture: float = Field(0.9, gt=0, description="Handling time they report.")
    seed: int = Field(0, description="Fixes their slips.")


@task(cache_policy=NO_CACHE)
def answer_as_simulated_people(people: SimulatedPeople, projects: dict[str, int]) -> int:
    """Answer what stands open in `projects` through Label Studio's own API; how many answers."""
    settings = load_settings()
    annotator = SimulatedAnnotator(
        site=open_site(simulated_site(settings.annotate.site)),
        truth=read_truth(people.truth),
        error_rate=people.error_rate,
        seconds_per_picture=people.seconds_per_picture,
        seed=people.seed,
    )
    return annotator.answer(list(projects.values()))


def read_truth(manifest: str) -> dict[str, tuple[str, str]]:
    """The key and the name of the product in each image that `manifest` names, by identity."""
    settings = load_settings()
    return {
        content_digest(read_uri(listing.uri, at_most=settings.ingest.max_bytes)): (
            listing.product,
            listing.product,
        )
        for listing in listings(manifest, None, settings.locales)
        if listing.product is not None
    }
