"""How long people take, in one place, so that every way of asking is timed by the same constants.

Sheets and galleries are timed as in `annotation.Effort`. What is done image by image is timed by
the keystroke-level model (Card, Moran and Newell, The Psychology of Human-Computer Interaction,
1983): M to make up one's mind, H to move a hand between keyboard and mouse, K for a key.
"""

from dataclasses import dataclass

from catalog.schema import Question, QuestionKind

FIRST_LETTERS = 5
WHOLE_NAME = 12


@dataclass(frozen=True)
class Times:
    """Seconds of an annotator; the default is the loop's.

    `pace` multiplies all but the look at a picture.
    """

    name: str = "as in the loop"
    look: float = 0.9
    pace: float = 1.0
    sheet: float = 4.0
    intruder: float = 1.5
    merge: float = 6.0
    sorted: float = 2.6
    mind: float = 1.35
    hand: float = 0.4
    key: float = 0.28

    @property
    def pick(self) -> float:
        """Look at a picture and pick its product from a list that a few letters narrow down.

        look + M + H + 5 K (first letters) + M (choose) + 2 K (down, enter) + H + K (next)
        """
        keys = FIRST_LETTERS + 2 + 1
        return self.look + self.pace * (2 * self.mind + 2 * self.hand + keys * self.key)

    @property
    def type(self) -> float:
        """Look at a picture and type its product: look + M + H + 12 K + M + H + K (next)."""
        keys = WHOLE_NAME + 1
        return self.look + self.pace * (2 * self.mind + 2 * self.hand + keys * self.key)

    @property
    def pair(self) -> float:
        """Say whether two pictures show one product: M + two looks + K."""
        return 2 * self.look + self.pace * (self.mind + self.key)

    @property
    def name_of_sheet(self) -> float:
        """Pick the product of a sheet that has been looked at already."""
        return self.pick - self.look

    def question(self, question: Question, n_ticked: int) -> float:
        """Answer a question on a contact sheet, or look at a single picture, without naming it."""
        if question.kind == QuestionKind.MERGE:
            return self.pace * self.merge
        n_pictures = len(question.image_ids) + len(question.reference_ids)
        if question.kind == QuestionKind.VERIFY and n_pictures == 1:
            return self.look
        n_sorted = len(question.image_ids) if question.kind == QuestionKind.SPLIT else 0
        by_hand = self.sheet + self.intruder * n_ticked + self.sorted * n_sorted
        return self.look * n_pictures + self.pace * by_hand


USUAL = Times()
TIME_MODELS = (
    USUAL,
    Times("a glance", look=0.3, pace=0.5),
    Times("slow and careful", look=2.0, pace=2.0),
)
