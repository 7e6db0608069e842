"""What a person says of the data set: the section `[dataset]` of the settings."""

import re

from pydantic import BaseModel, Field, field_validator


class About(BaseModel, extra="forbid", frozen=True):
    """What stands in the card of every export; `licence` is an SPDX expression."""

    name: str = Field("groundtruth", min_length=1)
    description: str = "Product photos, each with the product that it shows."
    licence: str | None = None
    creator: str | None = None
    citation: str | None = None
    url: str | None = None

    @field_validator("licence")
    @classmethod
    def _reads_as_spdx(cls, licence: str | None) -> str | None:
        if licence is not None and not re.fullmatch(
            r"[A-Za-z0-9.+:()-]+( [A-Za-z0-9.+:()-]+)*", licence
        ):
            raise ValueError(
                f"{licence!r} is no SPDX expression: write, for example, CC-BY-4.0, or"
                " LicenseRef-Ours for a licence of your own (https://spdx.org/licenses)"
            )
        return licence
