"""What a contract keeps from a vendor is never sent to it, and where nobody may see it is said."""

import pytest
from sqlalchemy import select

from catalog import digest
from catalog.schema import ImageSource, Question
from tasks.ask import asked
from tasks.confidentiality import confidential, shown
from tasks.errors import NoSite
from tasks.settings import Settings
from tests.catalog.rows import Bench
from tests.flows.world import LOCALE, World, site
from tests.workforce.staff import contract, vendor, workforce
from workforce.records import ledger

SITES = {"local": site(LOCALE), "vendor-b": site(LOCALE)}
NO_STUDIO = {"sources": {"never": ["studio"]}}
CHEAP = ({"unit": "question", "price": "0.10"},)


@pytest.fixture
def world(settings: Settings) -> World:
    """Every other new product was photographed in the studio, one picture in two places."""
    made = World.made(settings)
    for place, images in enumerate(made.new.values()):
        source = "studio" if place % 2 else "shop"
        made.bench.add(*(found_in(image, source) for image in images))
    first = next(iter(made.new.values()))[0]
    made.bench.add(found_in(first, "studio"))
    return made


def found_in(image: str, source: str) -> ImageSource:
    identity = digest("place", image, source)
    return ImageSource(id=identity, image_id=image, uri=identity, locale=LOCALE, source=source)


def agree(world: World, **terms: object) -> None:
    """The cheaper vendor may not see what was photographed in the studio."""
    records = (
        *(vendor("local"), contract("local", **terms)),
        *(vendor("vendor-b"), contract("vendor-b", rates=CHEAP, confidentiality=NO_STUDIO)),
    )
    with world.settings.catalog.begin() as transaction:
        ledger.recorded(transaction, workforce(*records), by="Ann", reason="agreed")


def sent(world: World, name: str) -> set[str]:
    """The images on questions that were put to a site."""
    with world.settings.catalog.read() as transaction:
        questions = transaction.scalars(select(Question).where(Question.site == name)).all()
    return {image for each in questions for image in shown(each)}


def of_studio(world: World) -> set[str]:
    with world.settings.catalog.read() as transaction:
        found = select(ImageSource.image_id).where(ImageSource.source == "studio")
        return set(transaction.scalars(found))


def test_the_cheaper_vendor_gets_only_what_it_may_see(world: World) -> None:
    agree(world)
    asked(world.settings, SITES)
    assert sent(world, "vendor-b")
    assert sent(world, "vendor-b").isdisjoint(of_studio(world))
    assert sent(world, "local") & of_studio(world)


def test_what_nobody_may_see_is_not_asked_and_why_is_said(world: World) -> None:
    agree(world, confidentiality={"sources": {"only": ["shop"]}})
    told = asked(world.settings, SITES).allotment.sentences
    assert (sent(world, "local") | sent(world, "vendor-b")).isdisjoint(of_studio(world))
    assert any("contract vendor-b/1 keeps images from it (source studio)" in each for each in told)


@pytest.fixture
def image(settings: Settings) -> str:
    """A picture of the studio."""
    bench = Bench(settings.catalog, settings.blob_store)
    [image] = bench.ingest("picture")
    bench.add(found_in(image, "studio"))
    return image


def refusals(settings: Settings, image: str, **terms: object) -> dict[str, str]:
    agreed = workforce(vendor("local"), contract("local", **terms))
    with settings.catalog.begin() as transaction:
        ledger.recorded(transaction, agreed, by="Ann", reason="agreed")
        return confidential(transaction, settings, [image]).refusals([image], LOCALE)


def test_the_terms_outlive_the_contract(settings: Settings, image: str) -> None:
    ended = {"starts": "2025-01-01", "ends": "2025-12-31", "confidentiality": NO_STUDIO}
    assert set(refusals(settings, image, **ended)) == {"local"}


def test_a_question_that_must_be_asked_of_somebody_says_how_to_mend_it(
    settings: Settings, image: str
) -> None:
    refusals(settings, image, confidentiality=NO_STUDIO)
    question = Question(id="q", kind="verify", locale=LOCALE, site="", image_ids=[image])
    with settings.catalog.read() as transaction:
        terms = confidential(transaction, settings, [image])
    with pytest.raises(NoSite, match=r"contract local/1 .*under `confidentiality`"):
        terms.site_of(question, {"local": site(LOCALE)})


@pytest.mark.parametrize(
    ("terms", "allowed"),
    [
        ({}, True),
        ({"locales": {"never": [LOCALE]}}, False),
        ({"locales": {"only": [LOCALE]}}, True),
        ({"sources": {"only": ["shop"]}}, False),
        ({"categories": {"only": ["juice"]}}, False),
        ({"categories": {"never": ["juice"]}}, True),
    ],
)
def test_a_contract_keeps_sources_locales_and_categories(
    settings: Settings, image: str, terms: dict[str, object], allowed: bool
) -> None:
    """The picture was found in the studio; it has no category."""
    assert (refusals(settings, image, confidentiality=terms) == {}) == allowed
