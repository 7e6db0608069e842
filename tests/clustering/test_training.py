"""Training graphs in which classes are smaller."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clustering.training import thin


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12), st.integers(0, 99))
def test_every_class_keeps_two_images_at_least_where_it_has_them(sizes, seed):
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows = thin(classes, np.random.default_rng(seed))
    assert (np.diff(rows) > 0).all()
    kept = np.bincount(classes[rows], minlength=len(sizes))
    assert (kept >= np.minimum(sizes, 2)).all()
    assert (kept <= sizes).all()


def test_sizes_are_spread_from_two_to_all():
    classes = np.repeat(np.arange(400), 16)
    kept = np.bincount(classes[thin(classes, np.random.default_rng(0))])
    assert set(kept) == set(range(2, 17))
