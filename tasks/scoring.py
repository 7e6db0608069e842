"""How good the candidate clusters of each round were, where somebody knows the truth."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from catalog import clusters
from clustering import bcubed, nmi, pairwise
from tasks.settings import load_settings


@dataclass(frozen=True)
class RoundScore:
    """The agreement of one round's candidate clusters, all locales together, with the truth."""

    round: int
    n_images: int
    n_clusters: int
    pairwise_f: float
    bcubed_f: float
    nmi: float


def score_rounds(truth: Mapping[str, str]) -> list[RoundScore]:
    """Compare every clustering with `truth`, the product of each image by identity.

    The n-th clusterings of all locales are one round; images whose truth is unknown are left out.
    """
    nth_of_locale: dict[str, int] = defaultdict(int)
    pairs: dict[int, list[tuple[str, str]]] = defaultdict(list)
    with load_settings().catalog.begin() as transaction:
        for partition in clusters.partitions(transaction):
            nth_of_locale[partition.locale] += 1
            found = clusters.cluster_of_images(transaction, partition.id)
            pairs[nth_of_locale[partition.locale]] += [
                (f"{partition.locale} {truth[image_id]}", cluster_id)
                for image_id, cluster_id in found.items()
                if image_id in truth
            ]
    scores = []
    for number, rows in sorted(pairs.items()):
        if not rows:
            continue
        expected, formed = zip(*rows, strict=True)
        scores.append(
            RoundScore(
                round=number,
                n_images=len(rows),
                n_clusters=len(set(formed)),
                pairwise_f=pairwise(expected, formed).f,
                bcubed_f=bcubed(expected, formed).f,
                nmi=nmi(expected, formed),
            )
        )
    return scores
