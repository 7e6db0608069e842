"""In what order a classifier sees its images: in pairs of one class, and no class too often."""

from __future__ import annotations

import torch
from torch import Tensor

BALANCE = 0.5


def in_pairs(classes: Tensor, generator: torch.Generator) -> Tensor:
    """Draw as many images as there are, in random order, but those of one class two by two.

    A class of n images is drawn in proportion to n ** (1 - BALANCE): 0 draws every image equally
    often, 1 every class; one half is the square-root sampling of Kang et al., *Decoupling
    Representation and Classifier for Long-Tailed Recognition*, 2020. Within a class no image comes
    a second time before all have come once. The batches that are cut from this hold the pairs that
    `supervised_contrast` needs; a class of one image is paired with itself, in another view.

    Parameters
    ----------
    classes : Tensor of int (N,)
        Numbers 0..C-1, each of at least one image.
    generator : torch.Generator

    Returns
    -------
    Tensor of int (2 * ceil(N / 2),)
        Places among the images.
    """
    sizes = torch.bincount(classes)
    n_pairs = (len(classes) + 1) // 2
    share = sizes.double() ** (1.0 - BALANCE)
    # Systematic sampling: each class gets its share of the pairs, rounded up or down at random.
    offset = torch.rand((), generator=generator, dtype=torch.float64)
    until = (n_pairs * share.cumsum(0) / share.sum() + offset).floor().long()
    until[-1] = n_pairs
    quota = until.diff(prepend=until.new_zeros(1))

    order = torch.randperm(len(classes), generator=generator)
    grouped = order[torch.argsort(classes[order], stable=True)]
    of_class = torch.repeat_interleave(torch.arange(len(sizes)), quota)
    place = torch.arange(n_pairs) - (until - quota)[of_class]
    first = (sizes.cumsum(0) - sizes)[of_class]
    pairs = torch.stack([(2 * place + side) % sizes[of_class] for side in (0, 1)], dim=1)
    drawn = grouped[first[:, None] + pairs]
    return drawn[torch.randperm(n_pairs, generator=generator)].flatten()
