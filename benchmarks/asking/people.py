"""Simulated people: they know the truth, slip at a stated rate, and take time.

A way of asking sees nothing of the truth but their answers. Each question is answered by as many as
are needed for `agreeing` of them to say the same, at most one less than twice as many: 1 is one
vote, 2 is two votes and a third where they differ, 3 is the best of five.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from annotation.simulated import Said, SimulatedAnnotator
from benchmarks.asking.times import Times
from catalog.schema import Question, Verdict

Word = TypeVar("Word", bound=Hashable)


@dataclass
class People:
    """People who can be asked about the images of one world.

    Attributes
    ----------
    truth : int64 (N,)
        Product of each image.
    error
        Probability of a slip: a picture ticked that should not be or not ticked that should, two
        galleries or two pictures confused, a name that is another product's.
    seconds, questions
        What has been asked so far: human seconds, and answers.
    """

    truth: NDArray[np.int64]
    error: float
    times: Times
    seed: int
    seconds: float = field(default=0.0, init=False)
    questions: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self._products = np.unique(self.truth)
        known = {name_of(i): (str(c), str(c)) for i, c in enumerate(self.truth.tolist())}
        self._known = known

    def pick(self, image: int, agreeing: int) -> int:
        """The product of an image, picked from the list of all."""
        return self._agreed(lambda: self._named(image, self.times.pick), agreeing)

    def type(self, image: int, agreeing: int) -> int:
        """The product of an image, typed."""
        return self._agreed(lambda: self._named(image, self.times.type), agreeing)

    def same(self, first: int, second: int, agreeing: int) -> bool:
        """Whether two images show one product."""
        true = bool(self.truth[first] == self.truth[second])

        def say() -> bool:
            self._spend(self.times.pair)
            return true != (self._random.random() < self.error)

        return self._agreed(say, agreeing)

    def keep(self, sheet: Question, agreeing: int) -> list[int] | None:
        """The images of a contact sheet that show the product of most; None where it is mixed.

        Who looks at a sheet looks at all of it; people are asked until enough of them agree on
        every picture.
        """
        out: Counter[str] = Counter()
        for n_asked in range(1, 2 * agreeing):
            said = self.answer(sheet, annotator=n_asked)
            if said["verdict"] != Verdict.CONFIRM:
                return None
            out.update(said["intruder_ids"])
            settled = (max(out[i], n_asked - out[i]) >= agreeing for i in sheet.image_ids)
            if all(settled):
                break
        return [row_of(image) for image in sheet.image_ids if out[image] < agreeing]

    def answer(self, question: Question, *, annotator: int) -> Said:
        """What one annotator says of a question, without a name."""
        simulated = SimulatedAnnotator(
            site=None,  # type: ignore[arg-type]  # what it says is handed on here
            truth=self._known,
            error_rate=self.error,
            seed=1000 * self.seed + annotator,
        )
        said, _ = simulated.opinion(question)
        said.pop("name", None)
        self._spend(self.times.question(question, len(said.get("intruder_ids", ()))))
        return said

    def name(self, images: Sequence[int], suggestion: str | None) -> str:
        """What most of `images` show is called, by who has just looked at them.

        Who is offered that name need not look for it.
        """
        shown = Counter(self.truth[list(images)].tolist())
        found = f"product {self._slip(shown.most_common(1)[0][0])}"
        if found != suggestion:
            self._spend(self.times.name_of_sheet, questions=0)
        return found

    def _named(self, image: int, seconds: float) -> int:
        self._spend(seconds)
        return self._slip(int(self.truth[image]))

    def _slip(self, product: int) -> int:
        if self._random.random() >= self.error:
            return product
        return int(self._random.choice(self._products[self._products != product]))

    def _agreed(self, say: Callable[[], Word], agreeing: int) -> Word:
        said: Counter[Word] = Counter()
        while said.total() < 2 * agreeing - 1 and max(said.values(), default=0) < agreeing:
            said[say()] += 1
        return said.most_common(1)[0][0]

    def _spend(self, seconds: float, questions: int = 1) -> None:
        self.seconds += seconds
        self.questions += questions


def name_of(row: int) -> str:
    """The image id of a row."""
    return f"{row:06d}"


def row_of(image_id: str) -> int:
    return int(image_id)
