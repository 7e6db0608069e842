"""The picture of the frontier shows every choice, and marks the one that was chosen."""

from decimal import Decimal

import numpy as np
import pytest

from annotation.frontier import Choice
from tasks.frontier import plot_frontier

CHOICES = [Choice("as now", recall, 2.0, Decimal(cost)) for recall, cost in ((0.5, 0), (0.9, 90))]


def test_the_chosen_choice_is_marked() -> None:
    plain, marked = (
        np.asarray(plot_frontier(CHOICES, chosen, "EUR"), dtype=int)
        for chosen in (None, CHOICES[1])
    )
    black = [(picture.max(axis=2) < 60).sum() for picture in (plain, marked)]
    assert black[1] > black[0] + 100


def test_without_a_choice_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="no choice to draw"):
        plot_frontier([], None, "EUR")
