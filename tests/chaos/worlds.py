"""A world: pictures from a seed, what they truly show, and how a loop that is left alone ends."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter

from catalog import content_digest
from catalog.fingerprint import Fingerprint
from deployments.sample import Sample, write
from tests.chaos.schedule import Phase

LOCALES = ("en-US", "ar-EG")
_PRINTS = TypeAdapter(dict[Phase, list[Fingerprint]])


@dataclass(frozen=True)
class World:
    """Number `number`, in `folder`."""

    folder: Path
    number: int

    @cached_property
    def sample(self) -> Sample:
        """A few products whose pictures are labelled, and a few that nobody knows yet."""
        return write(
            self.folder / "sample",
            locales=LOCALES,
            labelled_products=5,
            new_products=3,
            images_per_product=5,
            rounds=1,
            seed=self.number,
        )

    @cached_property
    def truth(self) -> Mapping[str, tuple[str, str]]:
        """The key and the name of the product in each picture, by the image's identity."""
        found = {}
        for manifest in (self.sample.labelled, self.sample.truth):
            with manifest.open(newline="", encoding="utf-8") as rows:
                for row in csv.DictReader(rows):
                    content = (manifest.parent / row["uri"]).read_bytes()
                    found[content_digest(content)] = (row["product"], row["product"])
        return found

    @property
    def template(self) -> str:
        """The database of a catalogue with the world's first model."""
        return f"world_{self.number}"

    @property
    def blobs(self) -> Path:
        """The blobs of that catalogue."""
        return self.folder / "blobs"

    @property
    def undisturbed(self) -> Mapping[Phase, list[Fingerprint]] | None:
        """The catalogue after phases of a loop that was left alone; None before there was one."""
        file = self.folder / "undisturbed.json"
        return _PRINTS.validate_json(file.read_bytes()) if file.exists() else None

    def keep(self, undisturbed: dict[Phase, list[Fingerprint]]) -> None:
        """Remember how the loop ends that is left alone."""
        (self.folder / "undisturbed.json").write_bytes(_PRINTS.dump_json(undisturbed))
