"""The programs: the Python and the packages that this was measured with."""

import sys
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from deployments.doctor.examination import Finding, error, well
from tasks.settings import Settings

OURS = "groundtruth"
INSTALL = f"install what is pinned: `pip install --constraint constraints.txt {OURS}`"


def python(_settings: Settings) -> Iterator[Finding]:
    """The Python that `groundtruth` says it needs."""
    running, needed = sys.version.split()[0], metadata.metadata(OURS)["Requires-Python"]
    if SpecifierSet(needed).contains(running):
        yield well(f"Python {running}, as needed ({needed})")
    else:
        yield error(
            f"Python {running} runs, and {needed} is needed: not all packages have a build for it",
            f"make a virtual environment of a Python {needed} and install {OURS} there",
        )


def packages(_settings: Settings) -> Iterator[Finding]:
    """Each package that ours requires, in a version that ours allows.

    Some of these bounds are the difference between a Prefect that runs its schedules and one that
    silently does not.
    """
    needed = [Requirement(line) for line in metadata.requires(OURS) or ()]
    needed = [each for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    wrong = list(_unmet(needed))
    yield from wrong
    if not wrong:
        yield well(f"{len(needed)} packages, each in a version that was tried")


def _unmet(needed: list[Requirement]) -> Iterator[Finding]:
    for each in needed:
        try:
            installed = metadata.version(each.name)
        except metadata.PackageNotFoundError:
            yield error(f"{each.name} is not installed ({each.specifier} is needed)", INSTALL)
            continue
        if not each.specifier.contains(installed, prereleases=True):
            yield error(
                f"{each.name} {installed} is installed, and {each.specifier} is needed",
                f"{INSTALL}; pyproject.toml says why a version is bound",
            )
