"""The time model: how many seconds people need for a question, by its kind, pictures and ticks.

An `Effort` is what is assumed before there are answers; `annotation.pace` fits the same model to
the times that annotators took.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from annotation.questions import verify_questions
from catalog.schema import QuestionKind


@dataclass(frozen=True)
class Line:
    """Seconds of a kind of question: `question + picture * n_pictures + removed * n_removed`."""

    question: float
    picture: float = 0.0
    removed: float = 0.0

    def seconds(self, n_pictures: int, n_removed: float = 0) -> float:
        return self.question + self.picture * n_pictures + self.removed * n_removed


class Effort(BaseModel, extra="forbid", frozen=True):
    """How long an annotator needs, in seconds.

    People compare the two galleries of a merge as wholes, so that it takes the same time whatever
    it shows. In a split every picture is looked at and dragged to its place.
    """

    seconds_per_sheet: float = Field(
        default=4.0, ge=0, description="To read a question and answer it."
    )
    seconds_per_picture: float = Field(default=0.9, ge=0, description="To look at a picture.")
    seconds_per_intruder: float = Field(default=1.5, ge=0, description="To tick a picture.")
    seconds_per_merge: float = Field(default=6.0, ge=0, description="To compare two galleries.")
    seconds_per_sorted: float = Field(
        default=2.6, ge=0, description="To drag a picture of a split."
    )
    seconds_per_name: float = Field(default=5.7, ge=0, description="To find or type a name.")

    def line(self, kind: QuestionKind) -> Line:
        """What a question of `kind` takes."""
        match kind:
            case QuestionKind.MERGE:
                return Line(self.seconds_per_merge)
            case QuestionKind.SPLIT:
                each = self.seconds_per_picture + self.seconds_per_sorted
                return Line(self.seconds_per_sheet, each)
            case _:
                return Line(
                    self.seconds_per_sheet, self.seconds_per_picture, self.seconds_per_intruder
                )

    def seconds(self, kind: QuestionKind, n_pictures: int, n_removed: float = 0) -> float:
        """What a question takes that shows `n_pictures`, references included.

        `n_removed` of them are ticked, or are expected to be.
        """
        if kind == QuestionKind.VERIFY and n_pictures == 1:
            return self.seconds_per_picture
        return self.line(kind).seconds(n_pictures, n_removed)


@dataclass(frozen=True)
class Expected:
    """What verifying clusters would take, and how many images would then have a label."""

    n_questions: int
    n_verified: int
    seconds: float

    @property
    def seconds_per_image(self) -> float:
        """Human seconds per verified image; infinite where none would be verified."""
        return self.seconds / self.n_verified if self.n_verified else float("inf")


def expected_effort(
    clusters: Sequence[Sequence[str]],
    truth: Mapping[str, str],
    effort: Effort,
    *,
    pictures_per_sheet: int,
) -> Expected:
    """What verifying `clusters` of image ids would take, where `truth` is each image's product.

    Sheets are made as questions are. One whose pictures do not show one product in their majority
    is called mixed, as people do, and ticked nowhere. An image alone is not asked about: it waits
    for company.
    """
    n_questions = 0
    seconds = 0.0
    verified: set[str] = set()
    for cluster in clusters:
        if len(cluster) < 2:
            continue
        for question in verify_questions(
            cluster, locale="", cluster_id=None, per_sheet=pictures_per_sheet
        ):
            n = len(question.image_ids)
            products = Counter(truth[image] for image in question.image_ids)
            [(product, majority)] = products.most_common(1)
            n_questions += 1
            is_mixed = 2 * majority <= n
            seconds += effort.seconds(QuestionKind.VERIFY, n, 0 if is_mixed else n - majority)
            if not is_mixed:
                verified.update(i for i in question.image_ids if truth[i] == product)
    return Expected(n_questions, len(verified), seconds)
