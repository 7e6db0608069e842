"""No check stops another, and none tells a secret."""

import threading
from collections.abc import Iterator

from deployments.doctor.examination import CannotTell, Check, Finding, Level, examine, well
from tasks.settings import Settings


def fine(_settings: Settings) -> Iterator[Finding]:
    yield well("fine")


def broken(_settings: Settings) -> Iterator[Finding]:
    yield well("so far")
    raise OSError("postgresql://ann:hidden-hidden@db/x does not answer")


def unknown(_settings: Settings) -> Iterator[Finding]:
    raise CannotTell("there is no catalogue")
    yield


def levels(*checks: Check) -> list[list[Level]]:
    return [[each.level for each in one.findings] for one in examine(checks, Settings())]


def test_one_that_fails_is_an_error_and_the_next_is_told_all_the_same() -> None:
    assert levels(Check("broken", broken), Check("fine", fine)) == [[Level.ERROR], [Level.OK]]


def test_one_that_hangs_is_an_error_and_the_next_is_told_all_the_same() -> None:
    for_ever = threading.Event()

    def hangs(_settings: Settings) -> Iterator[Finding]:
        for_ever.wait()
        yield well("at last")

    try:
        assert levels(Check("hangs", hangs, 0.05), Check("fine", fine)) == [
            [Level.ERROR],
            [Level.OK],
        ]
    finally:
        for_ever.set()


def test_what_depends_on_something_broken_is_a_warning() -> None:
    assert levels(Check("unknown", unknown)) == [[Level.WARNING]]


def test_the_message_of_a_driver_loses_its_password() -> None:
    [found] = examine([Check("broken", broken)], Settings())

    assert "ann:***@db/x does not answer" in found.findings[0].says
