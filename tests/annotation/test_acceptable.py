"""What a model would answer itself: each image a candidate once, at the model's own score."""

from annotation import Alike, Asking
from annotation.acceptable import (
    Stand,
    acceptable_clusters,
    acceptable_images,
    acceptable_merges,
)
from annotation.partition import Partition, partition
from catalog.schema import AuditSubject, Cluster
from tests.annotation.test_partition import listed
from tests.annotation.test_planner import outlook

KNOWN = partition([], [*listed("k", "cocoa"), *listed("t", "tea")])
COCOA, TEA = KNOWN.product_of["k"], KNOWN.product_of["t"]


def stand(waiting: str, known: Partition = KNOWN) -> Stand:
    galleries = {COCOA: ["k"], TEA: ["t"]}
    return Stand(known, set(waiting), galleries, Asking(pictures_per_sheet=24))


def cluster(name: str, purity: float, size: int) -> Cluster:
    return Cluster(id=name, partition_id="p", locale="de-DE", size=size, purity=purity, peak_id="a")


def clusters(*images: str) -> list[tuple[Cluster, list[str]]]:
    return [
        (cluster(shown, 0.9 + n / 100, len(shown)), list(shown)) for n, shown in enumerate(images)
    ]


LIKELY = {"x": (COCOA, 0.7), "y": (TEA, 0.95), "z": (COCOA, 0.3)}
AHEAD = outlook("abcdefgxyz", products=[COCOA, TEA], likely=LIKELY)


def test_images_are_candidates_for_the_product_they_show_the_surest_first() -> None:
    found = list(acceptable_images(AHEAD, stand("abcdefgxyz"), ()))
    assert [(*each.question.image_ids, each.score) for each in found] == [("y", 0.95), ("x", 0.7)]
    assert found[0].question.reference_ids == ["t"]
    assert found[0].subject == AuditSubject.ATTACHMENT


def test_images_of_a_candidate_cluster_and_those_that_wait_no_more_are_no_candidates() -> None:
    [found] = acceptable_images(AHEAD, stand("xy"), {"y"})
    assert found.question.image_ids == ["x"]
    assert list(acceptable_images(AHEAD, stand("ab"), ())) == []


def test_a_cluster_is_a_candidate_only_if_all_of_it_waits() -> None:
    [found] = acceptable_clusters(AHEAD, clusters("abcdefg"), stand("abcdefgxyz"))
    assert (found.question.image_ids, found.score) == (list("abcdefg"), 0.9)
    assert acceptable_clusters(AHEAD, clusters("abcdefg"), stand("abcdef")) == []


def test_a_cluster_as_small_as_what_names_it_is_no_candidate() -> None:
    assert acceptable_clusters(AHEAD, clusters("abcdef"), stand("abcdefg")) == []


def test_a_cluster_larger_than_a_sheet_is_no_candidate() -> None:
    many = [f"image {n}" for n in range(25)]
    ahead = outlook(many)
    now = Stand(KNOWN, set(many), {}, Asking(pictures_per_sheet=24))
    assert acceptable_clusters(ahead, [(cluster("many", 0.9, 25), many)], now) == []


def test_a_cluster_of_known_products_is_left_to_their_images() -> None:
    known = dict.fromkeys("abcd", (COCOA, 0.9))
    ahead = outlook("abcdefg", products=[COCOA], likely=known)
    assert acceptable_clusters(ahead, clusters("abcdefg"), stand("abcdefg")) == []


def test_products_that_look_alike_are_candidates_once() -> None:
    alike = [Alike(COCOA, TEA, 0.8), Alike(TEA, COCOA, 0.8)]
    ahead = outlook("a", products=[COCOA, TEA], alike=alike)
    apart = stand("a", partition([], [*listed("k", "cocoa"), *listed("t", "tea", locale="sv-SE")]))
    [found] = acceptable_merges(ahead, apart)
    assert (found.subject, found.score) == (AuditSubject.MERGE, 0.8)
    assert acceptable_merges(ahead, stand("a")) == []  # a customer who lists two means two
