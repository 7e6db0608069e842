"""What people need to verify candidate clusters: seconds, by sheets, pictures and intruders.

The cost of a contact sheet is `seconds_per_sheet + seconds_per_picture * pictures +
seconds_per_intruder * intruders`. Sheets are made as questions are (`verify_questions`), and a
sheet whose pictures do not show one product in their majority is called mixed, as people do.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from annotation.questions import verify_questions
from catalog.schema import QuestionKind


class Effort(BaseModel, extra="forbid", frozen=True):
    """How long an annotator needs."""

    seconds_per_sheet: float = Field(4.0, ge=0, description="To read the question and answer it.")
    seconds_per_picture: float = Field(0.9, ge=0, description="To look at a picture.")
    seconds_per_intruder: float = Field(1.5, ge=0, description="To tick a picture.")
    seconds_per_merge: float = Field(6.0, ge=0, description="To compare two galleries.")
    seconds_per_sorted: float = Field(2.6, ge=0, description="To drag a picture to its column.")
    seconds_per_name: float = Field(5.7, ge=0, description="To find a name, or to type it.")

    def seconds(self, kind: QuestionKind, n_pictures: int, n_removed: float = 0) -> float:
        """For a question with so many pictures, references included, of which some are ticked.

        A name comes on top. Where one picture is to be named there is no sheet to read.
        """
        if kind == QuestionKind.MERGE:
            return self.seconds_per_merge
        if kind == QuestionKind.VERIFY and n_pictures == 1:
            return self.seconds_per_picture
        each = self.seconds_per_sorted if kind == QuestionKind.SPLIT else 0.0
        looks = (self.seconds_per_picture + each) * n_pictures
        return self.seconds_per_sheet + looks + self.seconds_per_intruder * n_removed


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

    An image alone is not asked about: it waits for company.
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
            seconds += effort.seconds_per_sheet + effort.seconds_per_picture * n
            if 2 * majority > n:
                seconds += effort.seconds_per_intruder * (n - majority)
                verified.update(i for i in question.image_ids if truth[i] == product)
    return Expected(n_questions, len(verified), seconds)
