"""What people have verified teaches the embedding at once, before anything is trained again.

Images of one product differ in ways that tell nothing (light, pose, hand); how much, verified
products show. Relevant component analysis (Bar-Hillel et al., JMLR 6, 2005) whitens the embedding
by the covariance within them, so that differences which products do not have count for more. The
covariance is shrunk as Ledoit and Wolf (2004) say, for products are few.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.covariance import ledoit_wolf
from sklearn.utils.validation import check_is_fitted

from clustering.validation import check_features, check_products

FEWEST = 40
"""Images of products with two or more from which there is anything to learn."""

Float = NDArray[np.float32]


class RelevantComponents(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Embeddings in which the spread within verified products is the same in all directions.

    Learn from products that the encoder never saw: those that it was trained on it has drawn
    together already, and their spread says little of others. With fewer than `FEWEST` images,
    embeddings stay as they are.

    Attributes
    ----------
    mean_ : float32 (D,)
    components_ : float32 (D, D)
        Whitening matrix; the identity where there is too little to learn from.
    """

    def fit(self, features: ArrayLike, products: ArrayLike) -> Self:
        """Learn from verified images.

        Parameters
        ----------
        features : array-like of float (N, D)
            Embeddings of one encoder.
        products : array-like of int (N,)
            Product of each, not negative.
        """
        units = check_features(features)
        _, numbers = check_products(products, len(units))
        self.n_features_in_ = units.shape[1]
        shared = np.bincount(numbers)[numbers] > 1
        self.mean_ = np.zeros(units.shape[1], dtype=np.float32)
        self.components_ = np.eye(units.shape[1], dtype=np.float32)
        if np.count_nonzero(shared) >= FEWEST:
            rows, groups = units[shared], numbers[shared]
            sizes = np.bincount(groups)
            centres = np.zeros((len(sizes), units.shape[1]))
            np.add.at(centres, groups, rows)
            spread = rows - (centres / np.maximum(sizes, 1)[:, None])[groups]
            covariance, _ = ledoit_wolf(spread, assume_centered=True)
            values, vectors = np.linalg.eigh(covariance)
            self.mean_ = rows.mean(axis=0)
            self.components_ = (vectors / np.sqrt(np.maximum(values, 1e-12))).astype(np.float32)
        return self

    def transform(self, features: ArrayLike) -> Float:
        """Return embeddings, float32 (N, D), of length one."""
        check_is_fitted(self, "components_")
        units = check_features(features, fitted=self)
        return check_features((units - self.mean_) @ self.components_)
