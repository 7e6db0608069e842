"""Images come in pairs of one class, and small classes more often than they are large."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clustering import sampling
from clustering.sampling import in_pairs

SIZES = st.lists(st.integers(1, 20), min_size=1, max_size=8)
SEEDS = st.integers(0, 2**31)


def drawn(sizes: list[int], seed: int):
    """The classes of the images, in order of class, and what was drawn of them."""
    classes = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return classes, in_pairs(classes, torch.Generator().manual_seed(seed))


@given(SIZES, SEEDS)
def test_as_many_images_as_there_are_come_in_pairs_of_one_class(sizes, seed):
    classes, order = drawn(sizes, seed)
    assert len(order) == 2 * ((len(classes) + 1) // 2)
    pairs = classes[order].view(-1, 2)
    assert torch.equal(pairs[:, 0], pairs[:, 1])


@given(SIZES, SEEDS)
def test_no_image_comes_again_before_all_of_its_class_have_come(sizes, seed):
    classes, order = drawn(sizes, seed)
    times = torch.bincount(order, minlength=len(classes))
    for number in range(len(sizes)):
        of_class = times[classes == number]
        assert int(of_class.max() - of_class.min()) <= 1


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_a_class_comes_in_proportion_to_a_power_of_its_size(monkeypatch, balance):
    monkeypatch.setattr(sampling, "BALANCE", balance)
    classes, order = drawn([4, 16, 64, 36], seed=0)
    share = torch.tensor([4.0, 16.0, 64.0, 36.0]) ** (1 - balance)
    expected = 60 * share / share.sum()
    pairs = torch.bincount(classes[order], minlength=4) / 2
    assert bool(((pairs - expected).abs() < 1).all())
