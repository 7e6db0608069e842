"""What tests ask of a check."""

from collections.abc import Callable, Iterable

from deployments.doctor.examination import Finding, Level
from tasks.settings import Settings


def told(
    look: Callable[[Settings], Iterable[Finding]], settings: Settings, level: Level
) -> list[Finding]:
    """What a check finds of a level; whatever is wrong comes with what to do."""
    found = list(look(settings))
    assert all(bool(each.do) == (each.level != Level.OK) for each in found)
    return [each for each in found if each.level == level]
