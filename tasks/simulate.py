"""Simulated people, who answer in place of annotators where a demo or a test needs answers."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, Field

from annotation import Effort, SimulatedAnnotator
from catalog import content_digest, decisions, labels
from catalog.manifest import listings
from catalog.schema import Desk, SiteProject
from tasks.settings import Settings, load_settings
from tasks.sites import lead_site, open_site, simulated_site


class SimulatedPeople(BaseModel, extra="forbid"):
    """How simulated annotators answer. They know the truth, err now and then, and take time."""

    truth: str = Field(description="A manifest (uri, locale, product) of what every picture shows.")
    error_rates: tuple[float, ...] = Field(
        (0.02,), min_length=1, description="Chance of a slip per picture, of each annotator."
    )
    effort: Effort | None = Field(
        None, description="Handling time they report; none: that of the settings."
    )
    seed: int = Field(0, description="Fixes their slips.")


@task(cache_policy=NO_CACHE)
def answer_as_simulated_people(people: SimulatedPeople, projects: list[SiteProject]) -> int:
    """Answer what stands open in `projects` through Label Studio's own API; how many answers.

    The lead knows the truth and does not err.
    """
    settings = load_settings()
    effort = people.effort or settings.annotate.effort
    truth = known_products(settings) | read_truth(people.truth)
    crowd = [each for each in projects if each.desk == Desk.CROWD]
    lead = [each for each in projects if each.desk == Desk.LEAD]
    with settings.catalog.begin() as transaction:
        asked = {
            question.id: question
            for name in settings.annotate.sites
            for question in decisions.asked_on(transaction, name)
        }
    n_answers = 0
    for name in settings.annotate.sites:
        for place, error_rate in enumerate(people.error_rates):
            annotator = SimulatedAnnotator(
                site=open_site(simulated_site(name, place + 1)),
                truth=truth,
                error_rate=error_rate,
                effort=effort,
                seed=people.seed + place,
                place=place,
                n_annotators=len(people.error_rates),
            )
            n_answers += annotator.answer([p.project_id for p in crowd if p.site == name], asked)
        if led := [each.project_id for each in lead if each.site == name]:
            n_answers += SimulatedAnnotator(
                site=open_site(lead_site(name)), truth=truth, effort=effort, seed=people.seed
            ).answer(led, asked)
    return n_answers


def known_products(settings: Settings) -> dict[str, tuple[str, str]]:
    """The key and the name of the product in each image that a manifest labelled, by identity."""
    with settings.catalog.begin() as transaction:
        return {
            label.image_id: (label.name or "", label.name or "")
            for label in labels.manifest_labels(transaction)
        }


def read_truth(manifest: str) -> dict[str, tuple[str, str]]:
    """The key and the name of the product in each image that `manifest` names, by identity.

    The key is in the column `identity`, where a product has several names, or else the name.
    """
    settings = load_settings()
    return {
        content_digest(settings.ingest.read(listing)): (
            str(listing.extra.get("identity") or listing.product),
            listing.product,
        )
        for listing in listings(manifest, None, settings.locales)
        if listing.product is not None
    }
