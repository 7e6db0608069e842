"""Which version an export holds: `groundtruth.json`."""

import datetime as dt
from pathlib import Path

from pydantic import BaseModel, ValidationError

from catalog.exports.errors import ExportError
from catalog.schema import TrainingSet

FILE = "groundtruth.json"


class Stamp(BaseModel, extra="forbid", frozen=True):
    """The version as the catalogue knows it, and how the export is laid out.

    `n_images` counts all of the version; `n_removed` of these were removed since, and are left out.
    """

    layout: str
    version: int
    parent: int | None
    digest: str
    n_images: int
    n_products: int
    n_removed: int
    per_locale: dict[str, int]
    committed_at: dt.datetime

    @classmethod
    def of(cls, version: TrainingSet, layout: str, n_removed: int) -> "Stamp":
        return cls(
            layout=layout,
            version=version.version,
            parent=version.parent,
            digest=version.digest,
            n_images=version.n_images,
            n_products=version.n_products,
            n_removed=n_removed,
            per_locale=version.per_locale,
            committed_at=version.committed_at,
        )

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Stamp":
        """The stamp of an export; raises `ExportError` where `folder` is none."""
        try:
            return cls.model_validate_json((folder / FILE).read_bytes())
        except (OSError, ValidationError) as error:
            raise ExportError(
                f"{folder} is no export of a training set, for its {FILE} cannot be read: name a"
                " folder that `groundtruth dataset export` wrote"
            ) from error
