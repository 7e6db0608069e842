"""Questions to annotators, their answers, and the decisions that follow.

A candidate cluster becomes questions (`questions`), a `Site` asks them in the annotator's language
(`Wording`) and gives back what was said (`new_answers`). What several annotators say together
(`consensus`) is ruled on (`rule`), the decisions form a `partition` into products, and the verified
labels follow from that (`changed_labels`).
"""

from annotation.acceptance import Acceptable, Audited, Guarantee, History, Sorted, Threshold
from annotation.annotators import Alpha, Record, gold_counts, picture_alpha, records, verdict_alpha
from annotation.answers import Annotation, InvalidAnnotation, Submission, new_answers
from annotation.connection import SiteError, SiteRefused, SiteUnreachable
from annotation.consensus import AGGREGATORS
from annotation.corrections import asked_again, deny, forget, named_by_hand, taken_back
from annotation.decisions import Ruling, Votes, current_answers, rule, undo
from annotation.desk import guidelines, label_config, task
from annotation.effort import Effort, Expected, expected_effort
from annotation.gold import gold_questions
from annotation.labels import changed_labels
from annotation.names import name_key
from annotation.partition import Decided, Partition, partition
from annotation.pictures import LocalPictures, PictureSource, S3Access, S3Pictures, SitePictures
from annotation.questions import (
    GALLERY,
    Asking,
    Candidate,
    cluster_questions,
    follow_ups,
    merge_question,
)
from annotation.reconciliation import Mended
from annotation.results import result
from annotation.simulated import SimulatedAnnotator
from annotation.site import Pulled, Site
from annotation.wording import Flag, Wording, WordingError

__all__ = [
    "AGGREGATORS",
    "GALLERY",
    "Acceptable",
    "Alpha",
    "Annotation",
    "Asking",
    "Audited",
    "Candidate",
    "Decided",
    "Effort",
    "Expected",
    "Flag",
    "Guarantee",
    "History",
    "InvalidAnnotation",
    "LocalPictures",
    "Mended",
    "Partition",
    "PictureSource",
    "Pulled",
    "Record",
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
    "Submission",
    "Threshold",
    "Votes",
    "Wording",
    "WordingError",
    "asked_again",
    "changed_labels",
    "cluster_questions",
    "current_answers",
    "deny",
    "expected_effort",
    "follow_ups",
    "forget",
    "gold_counts",
    "gold_questions",
    "guidelines",
    "label_config",
    "merge_question",
    "name_key",
    "named_by_hand",
    "new_answers",
    "partition",
    "picture_alpha",
    "records",
    "result",
    "rule",
    "taken_back",
    "task",
    "undo",
    "verdict_alpha",
]
