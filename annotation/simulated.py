"""An annotator made of a truth table and a rate of error, to rehearse the loop without people.

It signs in as a user of its own and answers through Label Studio, so that all that real answers go
through is rehearsed too.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from statistics import NormalDist
from typing import Any

from annotation.effort import Effort
from annotation.results import result
from annotation.site import Site
from catalog.schema import Question, QuestionKind, Verdict

Said = dict[str, Any]
ASSUMED = Effort()


@dataclass(frozen=True, kw_only=True)
class SimulatedAnnotator:
    """Answers every question of some projects that it is to answer and has not answered yet.

    Parameters
    ----------
    site
        The Label Studio instance, with a token of the annotator's own user.
    truth
        For each image id, the key of its product and the product's name in the image's locale.
    error_rate
        Probability, for each picture, of placing it wrongly, and of confusing two products.
    effort, spread
        The seconds that it takes on average, reported as lead time, and the standard deviation of
        the logarithm of a time around that; nothing waits.
    seed
        With the question's id, determines the answer on any site.
    place, n_annotators
        Which one of how many this is: a question that fewer than all are to answer goes to others
        in turn.
    """

    site: Site
    truth: Mapping[str, tuple[str, str]]
    error_rate: float = 0.0
    effort: Effort = ASSUMED
    spread: float = 0.25
    seed: int = 0
    place: int = 0
    n_annotators: int = 1

    def answer(self, project_ids: Iterable[int], questions: Mapping[str, Question]) -> int:
        """Answer what is open of `questions`; the number of questions answered."""
        me = self.site.check()
        n_answered = 0
        for project_id in project_ids:
            for submission in self.site.pull(project_id).submissions:
                question = questions.get(submission.question_id)
                done = me in {annotation.annotator for annotation in submission.annotations}
                if question is None or done or not self.is_asked(question, submission.overlap):
                    continue
                said, seconds = self.opinion(question)
                self.site.annotate(submission.task_id, result(**said), seconds)
                n_answered += 1
        return n_answered

    def opinion(self, question: Question) -> tuple[Said, float]:
        """What it says of a question, as the arguments of `result`, and in how many seconds."""
        chance = Random(f"{self.seed} {question.id}")
        kind = QuestionKind(question.kind)
        # Drawn before the slips, so that these do not depend on the time model; of mean 1.
        deviation = NormalDist().inv_cdf(chance.uniform(1e-9, 1 - 1e-9))
        pace = math.exp(self.spread * deviation - self.spread**2 / 2)
        said = {
            QuestionKind.VERIFY: self._verify,
            QuestionKind.ATTACH: self._attach,
            QuestionKind.MERGE: self._merge,
            QuestionKind.SPLIT: self._split,
        }[kind](question, chance)
        usual = self.effort.seconds(
            kind,
            n_pictures=len(question.image_ids) + len(question.reference_ids),
            n_removed=len(said.get("intruder_ids", ())),
            n_named=said.get("name") not in (None, question.suggestion),
        )
        return {"kind": kind, **said}, round(pace * usual, 3)

    def is_asked(self, question: Question, overlap: int) -> bool:
        """Whether this is one of the `overlap` annotators whose turn it is."""
        first = Random(question.id).randrange(self.n_annotators)
        return (self.place - first) % self.n_annotators < overlap

    def _verify(self, question: Question, chance: Random) -> Said:
        product = self._commonest(question.image_ids)
        if product is None:
            return {"verdict": Verdict.UNUSABLE}
        belonging = self._showing(product, question.image_ids)
        if 2 * len(belonging) <= len(question.image_ids):
            return {"verdict": Verdict.MIXED}
        return self._ticks(question, product, belonging, chance)

    def _attach(self, question: Question, chance: Random) -> Said:
        product = self._commonest(question.reference_ids)
        if product is None:
            return {"verdict": Verdict.UNSURE}
        belonging = self._showing(product, question.image_ids)
        if not belonging:
            return {"verdict": Verdict.DIFFERENT}
        return self._ticks(question, product, belonging, chance)

    def _merge(self, question: Question, chance: Random) -> Said:
        same = self._commonest(question.reference_ids) == self._commonest(question.image_ids)
        slips = chance.random() < self.error_rate
        return {"verdict": Verdict.CONFIRM if same != slips else Verdict.DIFFERENT}

    def _split(self, question: Question, chance: Random) -> Said:
        products = sorted({self.truth[i][0] for i in question.image_ids if i in self.truth})
        if not products:
            return {"verdict": Verdict.UNUSABLE}
        groups: dict[str, list[str]] = defaultdict(list)
        for image in question.image_ids:
            if image not in self.truth:
                continue
            slips = chance.random() < self.error_rate
            groups[chance.choice(products) if slips else self.truth[image][0]].append(image)
        largest = sorted(groups.values(), key=len, reverse=True)[:4]
        return {"verdict": Verdict.CONFIRM, "groups": largest}

    def _ticks(self, question: Question, product: str, belonging: set[str], chance: Random) -> Said:
        intruders = [
            image
            for image in question.image_ids
            if (image not in belonging) != (chance.random() < self.error_rate)
        ]
        names = sorted({self.truth[image][1] for image in belonging})
        return {"verdict": Verdict.CONFIRM, "intruder_ids": intruders, "name": names[0]}

    def _commonest(self, image_ids: Iterable[str]) -> str | None:
        found = Counter(self.truth[image][0] for image in image_ids if image in self.truth)
        return found.most_common(1)[0][0] if found else None

    def _showing(self, product: str, image_ids: Iterable[str]) -> set[str]:
        return {i for i in image_ids if i in self.truth and self.truth[i][0] == product}
