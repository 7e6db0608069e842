"""The figures of retrieval, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering import retrieval
from clustering.retrieval import map_at_r, recall_at_1

CLASSES = st.lists(st.integers(0, 4), min_size=2, max_size=30).filter(
    lambda classes: len(set(classes)) < len(classes)
)


def unit_rows(count: int, seed: int):
    rows = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def by_definition(features, classes):
    """Recall at 1 and mAP@R, one image and one rank at a time."""
    hits, precisions = [], []
    for i, own in enumerate(classes):
        others = [j for j in range(len(classes)) if j != i]
        others.sort(key=lambda j: -float(features[i] @ features[j]))
        relevant = sum(classes[j] == own for j in others)
        if relevant:
            hits.append(classes[others[0]] == own)
            found, total = 0, 0.0
            for rank, j in enumerate(others[:relevant], start=1):
                if classes[j] == own:
                    found += 1
                    total += found / rank
            precisions.append(total / relevant)
    return np.mean(hits), np.mean(precisions)


@given(CLASSES, st.integers(0, 2**31))
def test_the_figures_are_those_of_their_definitions(classes, seed):
    features = unit_rows(len(classes), seed)
    recall, precision = by_definition(features, classes)
    assert recall_at_1(features, classes) == pytest.approx(recall)
    assert map_at_r(features, classes) == pytest.approx(precision)


def test_blocks_of_rows_give_the_same_as_the_whole(monkeypatch):
    features, classes = unit_rows(50, 0), np.arange(50) % 7
    whole = map_at_r(features, classes)
    monkeypatch.setattr(retrieval, "ROWS", 8)
    assert map_at_r(features, classes) == whole


def test_classes_of_one_image_each_leave_nothing_to_find():
    with pytest.raises(ValueError, match="no class has two images"):
        recall_at_1(unit_rows(3, 0), [0, 1, 2])
