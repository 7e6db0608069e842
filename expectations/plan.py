"""What the training set is meant to hold: images and products per locale and per category."""

from typing import Self

from pydantic import BaseModel, Field, PositiveInt, model_validator


class Wanted(BaseModel, frozen=True, extra="forbid"):
    """How many images, and how many products; None where any number will do."""

    images: PositiveInt | None = None
    products: PositiveInt | None = None


class Plan(BaseModel, frozen=True, extra="forbid"):
    """What is wanted in all.

    `category` names the manifests' column that holds an image's category; `categories` is what is
    wanted of each in every locale.
    """

    category: str | None = None
    locales: dict[str, Wanted] = Field(default_factory=dict)
    categories: dict[str, Wanted] = Field(default_factory=dict)

    @property
    def images(self) -> dict[str, int]:
        """How many images are wanted of each locale that has a number."""
        return {
            locale: wanted.images
            for locale, wanted in self.locales.items()
            if wanted.images is not None
        }

    @model_validator(mode="after")
    def _categories_have_a_column(self) -> Self:
        if self.categories and self.category is None:
            raise ValueError(
                "`categories` are planned, but `category` does not say which column of the"
                " manifests holds them: set it"
            )
        return self
