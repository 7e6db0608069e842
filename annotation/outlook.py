"""What the model makes of the images of a locale, and of the products that are known there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Cut:
    """One way to cluster the images: the cluster of each, and the probability that it belongs."""

    labels: Int
    membership: Float

    @cached_property
    def surest_first(self) -> Int:
        """The places of the images, by their cluster, the surest of each first."""
        return _surest_first(self.labels, self.membership)


@dataclass(frozen=True)
class Alike:
    """Two known products that may be the same, with this probability."""

    first: str
    second: str
    probability: float


@dataclass(frozen=True)
class Misfit:
    """Images that a decision put to a product, beside others of it that they do not look like.

    Attributes
    ----------
    images, others
        The two parts of the product.
    probability
        That both show one product, by what people said and by what the model sees.
    """

    images: tuple[str, ...]
    others: tuple[str, ...]
    probability: float


@dataclass(frozen=True)
class Stray:
    """An image that one decision put to a product, and that looks more like another one.

    Attributes
    ----------
    image, product
        The image, and the product that it has.
    others
        Pictures of that product.
    probability
        That it is in its place, by what people said and by what the model sees.
    """

    image: str
    product: str
    others: tuple[str, ...]
    probability: float


@dataclass(frozen=True)
class Outlook:
    """What the model makes of the images of one locale that have no product yet.

    Attributes
    ----------
    locale
    image_ids
        N images.
    cuts
        Clusterings of them, by several thresholds.
    cluster_of
        The recorded candidate cluster of each image that is in one.
    product_ids
        P known products.
    likeliest : int (N,)
        The place in `product_ids` of the product that each image most likely shows, or -1.
    probability : float (N,)
        That it does.
    alike
        Known products that may be the same.
    misfits
        Known products that may be several.
    strays
        Images that may be in a wrong product.
    """

    locale: str
    image_ids: Sequence[str]
    cuts: Sequence[Cut]
    cluster_of: Mapping[str, str]
    product_ids: Sequence[str]
    likeliest: Int
    probability: Float
    alike: Sequence[Alike] = ()
    misfits: Sequence[Misfit] = ()
    strays: Sequence[Stray] = ()

    @cached_property
    def place_of(self) -> dict[str, int]:
        """The place of each image in `image_ids`."""
        return {image: place for place, image in enumerate(self.image_ids)}

    @cached_property
    def surest_first(self) -> Int:
        """The places of the images, by the product that they may show, the surest of each first."""
        return _surest_first(self.likeliest, self.probability)


def _surest_first(owner: Int, said: Float) -> Int:
    """The places of images by owner, the surest of each first, equally sure ones as they come."""
    order: Int = np.lexsort((-said, owner))
    return order
