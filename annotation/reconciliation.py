"""What a full comparison of a project with the catalogue found, and mended."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.answers import Submission


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The questions of a project that stand otherwise on a site than the catalogue says.

    Attributes
    ----------
    missing
        No task asks them any more.
    moved
        Another task asks them than the catalogue says.
    doubled
        Several tasks ask the same.
    """

    missing: tuple[str, ...]
    moved: tuple[str, ...]
    doubled: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Mended:
    """What stood otherwise on a site than the catalogue says.

    Attributes
    ----------
    missing
        Questions whose task was deleted by hand: push them again.
    moved
        Questions that stand as another task than the catalogue says, with that task's id.
    surplus
        Tasks that were deleted: nobody had answered them, and another asks the same.
    submissions
        Every task of ours with all its annotations, so that no edit and no deletion is overlooked.
    """

    missing: tuple[str, ...]
    moved: Mapping[str, int]
    surplus: tuple[int, ...]
    submissions: tuple[Submission, ...]

    def __str__(self) -> str:
        counts = (
            (len(self.missing), "missing, to be asked again"),
            (len(self.moved), "found as another task"),
            (len(self.surplus), "asked twice, the surplus deleted"),
        )
        found = [f"{count} {what}" for count, what in counts if count]
        return (
            f"{len(self.submissions)} tasks compared: {'; '.join(found) or 'all as it should be'}"
        )
