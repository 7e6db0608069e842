"""Which vendors may be sent which images, by their contracts' confidentiality."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from catalog import Transaction
from catalog.places import Place, places_of
from catalog.schema import Question
from tasks.errors import NoSite
from tasks.settings import Settings
from tasks.sites import LabelStudioSite, site_of, sites_serving
from workforce import Contract
from workforce.records import ledger
from workforce.records.contracts import UNLIMITED


@dataclass(frozen=True)
class Confidential:
    """The contracts that keep some images from their vendor, and where images were found."""

    contracts: Mapping[str, Contract] = field(default_factory=dict)
    places: Mapping[str, set[Place]] = field(default_factory=dict)

    def refusals(self, image_ids: Collection[str], locale: str) -> dict[str, str]:
        """The vendors who may not be sent all of these images, each with why."""
        unknown = {Place(None, locale, None)}
        found = {}
        for vendor, contract in self.contracts.items():
            places = {place for each in image_ids for place in self.places.get(each, unknown)}
            refusals = (contract.confidentiality.refusal(*each) for each in places)
            kept = sorted(why for why in refusals if why is not None)
            if kept:
                found[vendor] = f"contract {contract.key} keeps images from it ({kept[0]})"
        return found

    def sites_for(
        self, image_ids: Collection[str], locale: str, blocks: Mapping[str, LabelStudioSite]
    ) -> dict[str, LabelStudioSite]:
        """The sites that serve a locale and may be sent all of these images."""
        refused = self.refusals(image_ids, locale)
        serving = sites_serving(locale, blocks)
        return {name: blocks[name] for name in serving if name not in refused}

    def may_be_seen(
        self, image_ids: Collection[str], locale: str, blocks: Mapping[str, LabelStudioSite]
    ) -> bool:
        """Whether contracts that keep images from vendors leave a site for all of these."""
        refused = self.refusals(image_ids, locale)
        return not refused or bool(self.sites_for(image_ids, locale, blocks))

    def site_of(self, question: Question, blocks: Mapping[str, LabelStudioSite]) -> str:
        """The site that a question is put to, among those that may be sent its images.

        Raises `NoSite` where none that serves the locale may, or none serves it.
        """
        images, locale = shown(question), question.locale
        if not self.may_be_seen(images, locale, blocks):
            raise NoSite(
                f"no site may be asked about {len(images)} images in {locale}:"
                f" {'; '.join(self.refusals(images, locale).values())}. Agree with a vendor that it"
                " may see them, and record that under `confidentiality` of its contract"
            )
        allowed = self.sites_for(images, locale, blocks)
        return site_of(locale, question.id, allowed or blocks)


def confidential(
    transaction: Transaction, settings: Settings, image_ids: Iterable[str]
) -> Confidential:
    """What the contracts that bind vendors today say of some images."""
    today = dt.datetime.now(dt.UTC).date()
    contracts = {
        vendor: contract
        for vendor, contract in ledger.standing(transaction).binding(today).items()
        if contract.confidentiality != UNLIMITED
    }
    if not contracts:
        return Confidential()
    return Confidential(contracts, places_of(transaction, image_ids, settings.plan.category))


def shown(question: Question) -> list[str]:
    """The images that whoever answers a question sees."""
    return [*question.image_ids, *question.reference_ids]
