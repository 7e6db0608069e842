"""What becomes of a picture: clustered, asked about by itself, or left out, and why.

This follows from its measures and the policy whenever it is asked for, and is not kept: a changed
policy applies to every picture that waits for a label.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, model_validator

from expectations.policy import Band

MEASURES = {
    # Measure -> what it is called, and how a value is written.
    "short_side": ("shorter side", "{:.0f} pixels"),
    "sharpness": ("sharpness", "{:.4f}"),
    "brightness": ("brightness", "{:.2f}"),
    "contrast": ("contrast", "{:.3f}"),
    "jpeg_quality": ("JPEG quality", "{:.0f}"),
    "border": ("border", "{:.0%} of the area"),
    "flat": ("flat", "{:.0%} of the area"),
}


class Bars(BaseModel, frozen=True, extra="forbid"):
    """What each measure of `catalog.appearance` must keep to; what cannot be measured does."""

    short_side_at_least: int = Field(default=0, ge=0)
    sharpness_at_least: float = Field(default=0.0, ge=0)
    brightness: Band = Band(low=0.0, high=1.0)
    contrast_at_least: float = Field(default=0.0, ge=0, le=1)
    jpeg_quality_at_least: float = Field(default=0.0, ge=0, le=100)
    border_at_most: float = Field(default=1.0, ge=0, le=1)
    flat_at_most: float = Field(default=1.0, ge=0, le=1)
    screenshots: bool = True

    def bands(self) -> dict[str, Band]:
        """The allowed values of each measure that is a quantity."""
        return {
            "short_side": Band(low=self.short_side_at_least, high=np.inf),
            "sharpness": Band(low=self.sharpness_at_least, high=np.inf),
            "brightness": self.brightness,
            "contrast": Band(low=self.contrast_at_least, high=1.0),
            "jpeg_quality": Band(low=self.jpeg_quality_at_least, high=100.0),
            "border": Band(low=0.0, high=self.border_at_most),
            "flat": Band(low=0.0, high=self.flat_at_most),
        }

    def broken_by(self, measures: pd.DataFrame) -> dict[str, str]:
        """Each picture that does not keep to these bars, and why, joined by semicolons."""
        reasons: dict[str, list[str]] = defaultdict(list)
        for measure, band in self.bands().items():
            name, form = MEASURES[measure]
            values = measures[measure]
            for image_id, value in values[values < band.low].items():
                bar = form.format(band.low)
                reasons[str(image_id)].append(f"{name} {form.format(value)}, below {bar}")
            for image_id, value in values[values > band.high].items():
                bar = form.format(band.high)
                reasons[str(image_id)].append(f"{name} {form.format(value)}, above {bar}")
        if not self.screenshots:
            for image_id in measures.index[measures["screenshot"] > 0]:
                reasons[image_id].append("a screenshot")
        return {image_id: "; ".join(said) for image_id, said in reasons.items()}


class PicturePolicy(BaseModel, frozen=True, extra="forbid"):
    """Which pictures are left out of the clustering, and which are doubtful."""

    left_out: Bars = Field(
        Bars(
            short_side_at_least=32,
            brightness=Band(low=0.02, high=0.99),
            contrast_at_least=0.05,
        ),
        description="a picture that breaks one of these is neither clustered nor asked about",
    )
    doubtful: Bars = Field(
        Bars(
            short_side_at_least=48,
            sharpness_at_least=0.005,
            brightness=Band(low=0.06, high=0.98),
            contrast_at_least=0.12,
            jpeg_quality_at_least=10,
            border_at_most=0.9,
            screenshots=False,
        ),
        description="a picture that breaks one of these is asked about by itself",
    )
    near_duplicates_within: int = Field(
        8,
        ge=0,
        le=15,
        description="of the 64 bits of the perceptual hash, those in which near-duplicates differ",
    )

    @model_validator(mode="after")
    def _doubt_before_they_leave_out(self) -> Self:
        out = self.left_out.bands()
        for measure, band in self.doubtful.bands().items():
            if band.low < out[measure].low or band.high > out[measure].high:
                raise ValueError(
                    f"`doubtful` allows a {MEASURES[measure][0]} that `left_out` does not: make"
                    " it as strict, or stricter"
                )
        return self


@dataclass(frozen=True)
class Routed:
    """The pictures that are not simply clustered, each with the reasons why.

    Attributes
    ----------
    left_out : neither clustered nor asked about.
    doubtful : not clustered, but asked about one by one.
    """

    left_out: Mapping[str, str]
    doubtful: Mapping[str, str]


def route(measures: pd.DataFrame, policy: PicturePolicy) -> Routed:
    """Say which pictures are left out and which are doubtful.

    Parameters
    ----------
    measures : indexed by image id, with the columns of `catalog.measures.of_locale`.
    policy : the bars.
    """
    left_out = policy.left_out.broken_by(measures)
    rest = measures.drop(index=list(left_out))
    return Routed(left_out, policy.doubtful.broken_by(rest))
