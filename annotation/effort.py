"""The time model: how many seconds people need for a question, by its pictures, ticks and name.

An `Effort` is what is assumed before there are answers; `annotation.pace` fits the same model to
the times that annotators took.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from pydantic import BaseModel, Field

from annotation.questions import verify_questions
from catalog.schema import QuestionKind


class Work(StrEnum):
    """What people do with a question: its kind, but that one picture alone is only named."""

    VERIFY = QuestionKind.VERIFY
    SINGLE = "single picture"
    ATTACH = QuestionKind.ATTACH
    MERGE = QuestionKind.MERGE
    SPLIT = QuestionKind.SPLIT

    @classmethod
    def of(cls, kind: str, n_pictures: int) -> Self:
        """The work of a question of `kind` (a `QuestionKind`) that shows `n_pictures`."""
        is_alone = kind == QuestionKind.VERIFY and n_pictures == 1
        return cls.SINGLE if is_alone else cls(kind)


@dataclass(frozen=True)
class Line:
    """Seconds of a question: of itself, each picture, each one that is ticked, and a name.

    `question + picture * n_pictures + removed * n_removed + name * n_named`, where `n_named` is 1
    if a name is given that was not suggested.
    """

    question: float = 0.0
    picture: float = 0.0
    removed: float = 0.0
    name: float = 0.0

    def seconds(self, n_pictures: int, n_removed: float = 0, n_named: float = 0) -> float:
        return (
            self.question
            + self.picture * n_pictures
            + self.removed * n_removed
            + self.name * n_named
        )


class Paced(Protocol):
    """Whatever tells how long each work takes."""

    def line(self, work: Work) -> Line: ...


class Effort(BaseModel, extra="forbid", frozen=True):
    """How long an annotator needs, in seconds.

    People compare the two galleries of a merge as wholes, so that it takes the same time whatever
    it shows. In a split every picture is looked at and dragged to its place. A picture alone is no
    sheet that must be read.
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

    def line(self, work: Work) -> Line:
        """What a question takes."""
        sheet, picture = self.seconds_per_sheet, self.seconds_per_picture
        match work:
            case Work.VERIFY:
                return Line(sheet, picture, self.seconds_per_intruder, self.seconds_per_name)
            case Work.SINGLE:
                return Line(picture=picture, name=self.seconds_per_name)
            case Work.ATTACH:
                return Line(sheet, picture, self.seconds_per_intruder)
            case Work.MERGE:
                return Line(self.seconds_per_merge)
            case Work.SPLIT:
                return Line(sheet, picture + self.seconds_per_sorted)

    def seconds(
        self, kind: QuestionKind, n_pictures: int, n_removed: float = 0, n_named: float = 0
    ) -> float:
        """What a question takes that shows `n_pictures`, references included.

        `n_removed` of them are ticked, or are expected to be; `n_named` is 1 where a name is given
        that was not suggested, or the probability of that.
        """
        return self.line(Work.of(kind, n_pictures)).seconds(n_pictures, n_removed, n_named)


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
    is called mixed, as people do, and neither ticked nor named. An image alone is not asked about:
    it waits for company.
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
            n_removed, n_named = (0, 0) if is_mixed else (n - majority, 1)
            seconds += effort.seconds(QuestionKind.VERIFY, n, n_removed, n_named)
            if not is_mixed:
                verified.update(i for i in question.image_ids if truth[i] == product)
    return Expected(n_questions, len(verified), seconds)
