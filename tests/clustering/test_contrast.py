"""The pull between images of one class, against its definition."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from clustering.convnet import supervised_contrast

TEMPERATURE = 0.1


def contrast_by_definition(embeddings: Tensor, labels: list[int]) -> float:
    losses = []
    for i, label in enumerate(labels):
        others = [j for j in range(len(labels)) if j != i]
        partners = [j for j in others if labels[j] == label]
        if partners:
            cosines = {j: float(embeddings[i] @ embeddings[j]) / TEMPERATURE for j in others}
            total = torch.logsumexp(torch.tensor(list(cosines.values())), dim=0)
            losses.append(sum(float(total) - cosines[j] for j in partners) / len(partners))
    return sum(losses) / len(losses) if losses else 0.0


@given(st.lists(st.integers(0, 4), min_size=2, max_size=12), st.integers(0, 2**31))
def test_the_contrast_is_that_of_its_definition(labels: list[int], seed: int) -> None:
    drawn = torch.randn(len(labels), 5, generator=torch.Generator().manual_seed(seed))
    embeddings = F.normalize(drawn, dim=1).requires_grad_()
    loss = supervised_contrast(embeddings, torch.tensor(labels), temperature=TEMPERATURE)
    loss.backward()
    expected = contrast_by_definition(embeddings.detach(), labels)
    torch.testing.assert_close(float(loss.detach()), expected, rtol=1e-4, atol=1e-5)
    assert embeddings.grad is not None
    assert bool(embeddings.grad.isfinite().all())
