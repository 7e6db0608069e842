"""What an export is made of, counted while it is written."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from catalog.exports.contents import LabelledImage
from catalog.labels import LabelRow
from catalog.schema import Origin

NOT_STATED = "not stated"


@dataclass
class Tally:
    """Counts over the images that were written, and the identities of those left out."""

    images: Counter[str] = field(default_factory=Counter)
    origins: Counter[tuple[str, str]] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    of_product: Counter[str] = field(default_factory=Counter)
    products: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    media_types: set[str] = field(default_factory=set)
    annotators: set[str] = field(default_factory=set)
    agreement: float = 0.0
    n_decided: int = 0
    n_bytes: int = 0
    removed: list[str] = field(default_factory=list)

    def add(self, label: LabelRow, image: LabelledImage) -> None:
        """Count one image with its label."""
        product = image.product_id or ""
        self.images[image.locale] += 1
        self.origins[image.locale, image.origin] += 1
        self.licences[image.licence or NOT_STATED] += 1
        self.sources[image.source or NOT_STATED] += 1
        self.of_product[product] += 1
        self.products[image.locale].add(product)
        self.media_types.add(image.media_type)
        self.n_bytes += image.n_bytes
        if label.origin == Origin.DECISION:
            self.annotators.update(label.annotators)
            self.agreement += label.agreement
            self.n_decided += 1
