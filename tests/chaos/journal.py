"""What every loop of a campaign came to, a line each, so that a campaign can be taken up again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from tests.chaos.loop import Course
from tests.chaos.schedule import Plan


@dataclass(frozen=True)
class Entry:
    """A loop: its plan, its course, and why it could not be finished where it could not."""

    plan: Plan
    course: Course
    unfinished: str | None

    @property
    def failed(self) -> bool:
        return self.unfinished is not None or not self.course.found.nothing


_LINE = TypeAdapter(Entry)


@dataclass(frozen=True)
class Journal:
    """The lines in `file`, each written whole."""

    file: Path

    def add(self, entry: Entry) -> None:
        with self.file.open("ab") as file:
            file.write(_LINE.dump_json(entry) + b"\n")

    def entries(self) -> Iterator[Entry]:
        if self.file.exists():
            for line in self.file.read_bytes().splitlines():
                yield _LINE.validate_json(line)
