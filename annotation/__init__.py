"""Questions to annotators, their answers, and the decisions that follow.

A candidate cluster becomes contact sheets (`verify_questions`), a `Site` asks about them in the
annotator's language (`Wording`) and gives back what was said, and `new_answers`, `decide` and
`verified_labels` turn that into rows of the catalogue.
"""

from annotation.answers import Annotation, InvalidAnnotation, Submission, new_answers
from annotation.decisions import current_answers, decide, verified_labels
from annotation.desk import guidelines, label_config, task
from annotation.names import name_key
from annotation.results import result
from annotation.sheets import verify_questions
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
    "Annotation",
    "Flag",
    "InvalidAnnotation",
    "Pulled",
    "SimulatedAnnotator",
    "Site",
    "SiteError",
    "SiteRefused",
    "SiteUnreachable",
    "Submission",
    "Wording",
    "WordingError",
    "current_answers",
    "decide",
    "guidelines",
    "label_config",
    "local_picture_url",
    "name_key",
    "new_answers",
    "result",
    "task",
    "verified_labels",
    "verify_questions",
]
