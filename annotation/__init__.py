"""Questions to annotators, their answers, and the decisions that follow.

A candidate cluster becomes questions (`questions`), a `Site` asks them in the annotator's language
(`Wording`) and gives back what was said (`new_answers`). What several annotators say together
(`consensus`) is ruled on (`rule`), the decisions form a `partition` into products, and the verified
labels follow from that (`changed_labels`).
"""

from annotation.annotators import Alpha, Record, Share, picture_alpha, records, verdict_alpha
from annotation.answers import Annotation, InvalidAnnotation, Submission, new_answers
from annotation.consensus import AGGREGATORS, Opinion, opinions
from annotation.contact_sheet import label_config, task
from annotation.decisions import Ruling, Votes, current_answers, rule, undo
from annotation.gold import gold_questions, is_right
from annotation.labels import changed_labels
from annotation.names import name_key
from annotation.partition import Contradiction, Decided, Partition, partition
from annotation.questions import (
    GALLERY,
    Asking,
    Candidate,
    attach_questions,
    cluster_questions,
    follow_ups,
    merge_question,
    split_question,
    verify_questions,
)
from annotation.simulated import SimulatedAnnotator
from annotation.site import (
    Pulled,
    Site,
    SiteError,
    SiteRefused,
    SiteUnreachable,
    local_picture_url,
)
from annotation.wording import Flag, Wording, WordingError

__all__ = [
    "AGGREGATORS",
    "GALLERY",
    "Alpha",
    "Annotation",
    "Asking",
    "Candidate",
    "Contradiction",
    "Decided",
    "Flag",
    "InvalidAnnotation",
    "Opinion",
    "Partition",
    "Pulled",
    "Record",
    "Ruling",
    "Share",
    "SimulatedAnnotator",
    "Site",
    "SiteError",
    "SiteRefused",
    "SiteUnreachable",
    "Submission",
    "Votes",
    "Wording",
    "WordingError",
    "attach_questions",
    "changed_labels",
    "cluster_questions",
    "current_answers",
    "follow_ups",
    "gold_questions",
    "is_right",
    "label_config",
    "local_picture_url",
    "merge_question",
    "name_key",
    "new_answers",
    "opinions",
    "partition",
    "picture_alpha",
    "records",
    "rule",
    "split_question",
    "task",
    "undo",
    "verdict_alpha",
    "verify_questions",
]
