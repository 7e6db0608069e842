"""Questions to annotators, their answers, and the decisions that follow.

A candidate cluster becomes questions (`questions`), a `Site` asks them in the annotator's language
(`Wording`) and gives back what was said (`new_answers`). What several annotators say together
(`consensus`) is ruled on (`rule`), the decisions form a `partition` into products, and the verified
labels follow from that (`changed_labels`).
"""

from annotation.acceptance import Acceptable, Audited, Guarantee, History, Sorted, Threshold
from annotation.annotators import Alpha, Record, gold_counts, picture_alpha, records, verdict_alpha
from annotation.answers import Annotation, Submission, invalid_annotations, new_answers
from annotation.connection import SiteError, SiteRefused, SiteUnreachable
from annotation.consensus import AGGREGATORS
from annotation.corrections import asked_again, deny, forget, named_by_hand, taken_back
from annotation.decision_graph import DecisionGraph, Touched
from annotation.decisions import Ruling, Votes, current_answers, rule, undo
from annotation.desk import guidelines, label_config, task
from annotation.doubt import (
    Doubt,
    DoubtfulJoin,
    Redundancy,
    doubt_of,
    doubtful_joins,
    expected_precision,
    redundancy_questions,
)
from annotation.effort import Effort, Expected, Line, Paced, Work, expected_effort
from annotation.gold import gold_questions
from annotation.labels import changed_labels
from annotation.names import name_key
from annotation.outlook import Alike, Cut, Misfit, Outlook, Stray
from annotation.pace import Fit, LocalPace, Pace
from annotation.pace import fit as fit_pace
from annotation.partition import Decided, Partition, partition
from annotation.pictures import LocalPictures, PictureSource, S3Access, S3Pictures, SitePictures
from annotation.pieces import named_pieces
from annotation.planner import Planned, plan
from annotation.questions import (
    GALLERY,
    Asking,
    follow_ups,
    mixed_sheets,
    verify_questions,
)
from annotation.reconciliation import Drift, Mended
from annotation.results import result
from annotation.simulated import SimulatedAnnotator
from annotation.site import Pulled, Site
from annotation.trust import Trust, learn_trust, right_all_the_same
from annotation.wording import Flag, Wording, WordingError

__all__ = [
    "AGGREGATORS",
    "GALLERY",
    "Acceptable",
    "Alike",
    "Alpha",
    "Annotation",
    "Asking",
    "Audited",
    "Cut",
    "Decided",
    "DecisionGraph",
    "Doubt",
    "DoubtfulJoin",
    "Drift",
    "Effort",
    "Expected",
    "Fit",
    "Flag",
    "Guarantee",
    "History",
    "Line",
    "LocalPace",
    "LocalPictures",
    "Mended",
    "Misfit",
    "Outlook",
    "Pace",
    "Paced",
    "Partition",
    "PictureSource",
    "Planned",
    "Pulled",
    "Record",
    "Redundancy",
    "Ruling",
    "S3Access",
    "S3Pictures",
    "SimulatedAnnotator",
    "Site",
    "SiteError",
    "SitePictures",
    "SiteRefused",
    "SiteUnreachable",
    "Sorted",
    "Stray",
    "Submission",
    "Threshold",
    "Touched",
    "Trust",
    "Votes",
    "Wording",
    "WordingError",
    "Work",
    "asked_again",
    "changed_labels",
    "current_answers",
    "deny",
    "doubt_of",
    "doubtful_joins",
    "expected_effort",
    "expected_precision",
    "fit_pace",
    "follow_ups",
    "forget",
    "gold_counts",
    "gold_questions",
    "guidelines",
    "invalid_annotations",
    "label_config",
    "learn_trust",
    "mixed_sheets",
    "name_key",
    "named_by_hand",
    "named_pieces",
    "new_answers",
    "partition",
    "picture_alpha",
    "plan",
    "records",
    "redundancy_questions",
    "result",
    "right_all_the_same",
    "rule",
    "taken_back",
    "task",
    "undo",
    "verdict_alpha",
    "verify_questions",
]
