"""An annotator made of a truth table and a rate of error, to rehearse the loop without people.

It signs in as a user of its own and answers through Label Studio, so that all that real answers go
through is rehearsed too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from annotation.results import result
from annotation.site import Site
from catalog.schema import Verdict


@dataclass(frozen=True, kw_only=True)
class SimulatedAnnotator:
    """Answers every question of some projects that it has not answered yet.

    Parameters
    ----------
    site
        The Label Studio instance, with a token of the annotator's own user.
    truth
        For each image id, the key of its product and the product's name in the image's locale.
    error_rate
        Probability, for each picture, of ticking it wrongly or of overlooking it.
    seconds_per_picture
        Mean time, reported as lead time; nothing waits.
    seed
        With the question's id, determines the answer on any site.
    """

    site: Site
    truth: Mapping[str, tuple[str, str]]
    error_rate: float = 0.0
    seconds_per_picture: float = 0.5
    seed: int = 0

    def answer(self, project_ids: Iterable[int]) -> int:
        """Answer what is open; the number of questions answered."""
        me = self.site.check()
        n_answered = 0
        for project_id in project_ids:
            for submission in self.site.pull(project_id).submissions:
                if me in {annotation.annotator for annotation in submission.annotations}:
                    continue
                said, seconds = self.opinion(submission.question_id, submission.image_ids)
                self.site.annotate(submission.task_id, said, seconds)
                n_answered += 1
        return n_answered

    def opinion(
        self, question_id: str, image_ids: Sequence[str]
    ) -> tuple[list[dict[str, Any]], float]:
        """What it says of a sheet, as an annotation's result, and in how many seconds."""
        chance = Random(f"{self.seed} {question_id}")
        seconds = round(len(image_ids) * self.seconds_per_picture * chance.uniform(0.7, 1.3), 3)
        known = {image: self.truth[image] for image in image_ids if image in self.truth}
        if not known:
            return result(Verdict.UNUSABLE), seconds
        product, name = Counter(known.values()).most_common(1)[0][0]
        belonging = {image for image, (key, _) in known.items() if key == product}
        if 2 * len(belonging) <= len(image_ids):
            return result(Verdict.MIXED), seconds
        intruders = [
            image
            for image in image_ids
            if (image not in belonging) != (chance.random() < self.error_rate)
        ]
        return result(Verdict.CONFIRM, intruders, name), seconds
