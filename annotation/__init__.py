"""Questions to annotators, their answers, and the decisions that follow.

A candidate cluster becomes contact sheets (`verify_questions`), a `Site` asks about them in the
annotator's language (`Wording`) and gives back what was said, and `new_answers`, `decide` and
`verified_labels` turn that into rows of the catalogue.
"""

from annotation.answers import Annotation, InvalidAnnotation, Submission, new_answers
from annotation.connection import SiteError, SiteRefused, SiteUnreachable
from annotation.contact_sheet import label_config, task
from annotation.decisions import current_answers, decide, verified_labels
from annotation.names import name_key
from annotation.pictures import LocalPictures, PictureSource, S3Access, S3Pictures, SitePictures
from annotation.reconciliation import Mended
from annotation.sheets import verify_questions
from annotation.simulated import SimulatedAnnotator
from annotation.site import Pulled, Site
from annotation.wording import Flag, Wording, WordingError

__all__ = [
    "Annotation",
    "Flag",
    "InvalidAnnotation",
    "LocalPictures",
    "Mended",
    "PictureSource",
    "Pulled",
    "S3Access",
    "S3Pictures",
    "SimulatedAnnotator",
    "Site",
    "SiteError",
    "SitePictures",
    "SiteRefused",
    "SiteUnreachable",
    "Submission",
    "Wording",
    "WordingError",
    "current_answers",
    "decide",
    "label_config",
    "name_key",
    "new_answers",
    "task",
    "verified_labels",
    "verify_questions",
]
