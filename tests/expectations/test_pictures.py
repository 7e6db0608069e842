"""What becomes of a picture follows from its measures and the policy, with every reason."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from expectations.pictures import Bars, PicturePolicy, route
from expectations.policy import Band

FINE = {
    "short_side": 480.0,
    "sharpness": 0.3,
    "brightness": 0.5,
    "contrast": 0.6,
    "jpeg_quality": 85.0,
    "border": 0.0,
    "flat": 0.1,
    "screenshot": 0.0,
}


def measures(**changes: dict[str, float]) -> pd.DataFrame:
    """One picture for each keyword, fine but for what is said of it."""
    return pd.DataFrame([FINE | change for change in changes.values()], index=list(changes))


def test_a_fine_picture_is_clustered() -> None:
    found = route(measures(fine={}), PicturePolicy())
    assert (found.left_out, found.doubtful) == ({}, {})


@pytest.mark.parametrize(
    ("bar", "bad", "reason"),
    [
        (
            {"short_side_at_least": 100},
            {"short_side": 99},
            "shorter side 99 pixels, below 100 pixe",
        ),
        ({"sharpness_at_least": 0.1}, {"sharpness": 0.05}, "sharpness 0.0500, below 0.1000"),
        (
            {"brightness": Band(low=0.2, high=0.8)},
            {"brightness": 0.9},
            "brightness 0.90, above 0.8",
        ),
        (
            {"brightness": Band(low=0.2, high=0.8)},
            {"brightness": 0.1},
            "brightness 0.10, below 0.2",
        ),
        ({"contrast_at_least": 0.2}, {"contrast": 0.1}, "contrast 0.100, below 0.200"),
        ({"jpeg_quality_at_least": 20}, {"jpeg_quality": 9}, "JPEG quality 9, below 20"),
        ({"border_at_most": 0.5}, {"border": 0.6}, "border 60% of the area, above 50% of the area"),
        ({"flat_at_most": 0.5}, {"flat": 0.6}, "flat 60% of the area, above 50% of the area"),
        ({"screenshots": False}, {"screenshot": 1}, "a screenshot"),
    ],
)
def test_each_bar_catches_what_breaks_it_and_passes_the_rest(
    bar: dict[str, object], bad: dict[str, float], reason: str
) -> None:
    policy = PicturePolicy(left_out=Bars(), doubtful=Bars.model_validate(bar))
    found = route(measures(bad=bad, fine={}), policy)
    assert found.left_out == {}
    assert list(found.doubtful) == ["bad"]
    assert found.doubtful["bad"].startswith(reason)


def test_what_is_left_out_is_not_asked_about_and_has_every_reason() -> None:
    found = route(measures(black={"brightness": 0.0, "contrast": 0.0}), PicturePolicy())
    assert found.doubtful == {}
    assert found.left_out == {
        "black": "brightness 0.00, below 0.02; contrast 0.000, below 0.050",
    }


def test_a_picture_on_the_bar_keeps_to_it_and_one_that_cannot_be_measured_too() -> None:
    bars = Bars(short_side_at_least=480, jpeg_quality_at_least=50)
    found = route(
        measures(png={"jpeg_quality": np.nan}), PicturePolicy(left_out=bars, doubtful=bars)
    )
    assert (found.left_out, found.doubtful) == ({}, {})


def test_a_changed_policy_puts_pictures_back() -> None:
    black = measures(black={"brightness": 0.001})
    assert "black" in route(black, PicturePolicy()).left_out
    lenient = PicturePolicy(left_out=Bars(), doubtful=Bars())
    assert route(black, lenient).left_out == {}


def test_doubt_must_come_before_leaving_out() -> None:
    with pytest.raises(ValidationError, match="`doubtful` allows a sharpness that `left_out` does"):
        PicturePolicy(left_out=Bars(sharpness_at_least=0.5), doubtful=Bars())


def test_a_misspelt_bar_is_refused() -> None:
    with pytest.raises(ValidationError, match="sharpness_at_last"):
        Bars.model_validate({"sharpness_at_last": 0.1})
