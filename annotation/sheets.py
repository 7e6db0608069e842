"""Candidate clusters cut into contact sheets, each a question to somebody who reads the locale."""

import math
from collections.abc import Sequence
from itertools import pairwise

from catalog.identity import digest, set_digest
from catalog.schema import Cluster, ClusterMember, Question


def verify_questions(
    cluster: Cluster, members: Sequence[ClusterMember], *, site: str, pictures_per_sheet: int
) -> list[Question]:
    """Ask about every image of `cluster`, surest first, on as few sheets of even size as possible.

    A question is named by the set of its images, so the same sheet is the same question whichever
    model proposed it.
    """
    ranked = [
        member.image_id
        for member in sorted(members, key=lambda member: (-member.membership, member.image_id))
    ]
    n_sheets = math.ceil(len(ranked) / pictures_per_sheet)
    bounds = [len(ranked) * sheet // n_sheets for sheet in range(n_sheets + 1)] if n_sheets else []
    return [
        Question(
            id=digest("verify", set_digest(ranked[start:end])),
            kind="verify",
            locale=cluster.locale,
            site=site,
            cluster_id=cluster.id,
            sheet=sheet,
            image_ids=ranked[start:end],
        )
        for sheet, (start, end) in enumerate(pairwise(bounds))
    ]
