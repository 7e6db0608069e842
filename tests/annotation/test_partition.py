"""Products follow from all decisions that stand, and the weaker evidence gives way."""

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import Decided, Partition, changed_labels, partition
from catalog.labels import manifest_label, manifest_product
from catalog.schema import Decision, DecisionKind, Question, QuestionKind, VerifiedLabel

SURE, DOUBTFUL = 0.99, 0.6


def decided(
    number: int,
    kind: QuestionKind,
    said: DecisionKind,
    groups: Sequence[str],
    removed: str = "",
    *,
    references: str = "",
    name: str | None = None,
    locale: str = "de-DE",
    posterior: float = SURE,
) -> Decided:
    """A decision between groups of images, one letter each."""
    images = [image for group in groups for image in group] + list(removed)
    question = Question(
        id=f"question {number:03}",
        kind=kind,
        locale=locale,
        site="local",
        image_ids=[image for image in images if image not in references],
        reference_ids=list(references),
    )
    return Decided(
        question,
        Decision(
            id=f"decision {number:03}",
            question_id=question.id,
            supersedes_id=None,
            kind=said,
            name=name,
            groups=[list(group) for group in groups],
            removed_ids=list(removed),
            memberships=[posterior] * len(images),
            answer_ids=[],
            annotators=["ada"],
            agreement=1.0,
            confidence=posterior,
            seconds=8.0,
        ),
    )


def verified(number: int, kept: str, removed: str = "", **more: object) -> Decided:
    return decided(number, QuestionKind.VERIFY, DecisionKind.SAME, [kept], removed, **more)


def merged(
    number: int, first: str, second: str, said: DecisionKind = DecisionKind.SAME, **more: object
) -> Decided:
    return decided(number, QuestionKind.MERGE, said, [first, second], references=first, **more)


def listed(images: str, product: str, locale: str = "de-DE") -> list[VerifiedLabel]:
    identity = manifest_product(product)
    return [manifest_label(image, identity, product, locale) for image in images]


def products(found: Partition) -> set[str]:
    """The products, each as the sorted letters of its images."""
    return {"".join(images) for images in found.images().values()}


def unasked(each: Decided) -> Decided:
    """The same, accepted by the word of a model."""
    each.decision.model_id = "model"
    return each


class TestWhatNobodyWasAsked:
    def test_it_makes_products_as_answers_do(self) -> None:
        found = partition([unasked(verified(1, "abc")), unasked(merged(2, "ab", "de"))], [])
        assert found.product_of["a"] == found.product_of["c"]

    def test_however_many_of_it_give_way_to_one_person_and_nobody_is_asked_again(self) -> None:
        surest = [unasked(verified(n, "ab", posterior=0.999)) for n in range(1, 30)]
        doubtful = verified(99, "a", removed="b", posterior=DOUBTFUL)
        found = partition([*surest, doubtful], [])
        assert found.differ("a", "b")
        assert found.product_of["a"] != found.product_of.get("b")
        assert not found.contradictions


class TestWhatIsDecided:
    def test_the_images_that_a_sheet_keeps_are_one_product(self) -> None:
        found = partition([verified(1, "abc", removed="d")], [])
        assert products(found) == {"abc"}
        assert found.differ("d", "a")
        assert not found.differ("a", "b")

    def test_sheets_that_share_an_anchor_are_one_product(self) -> None:
        assert products(partition([verified(1, "abc"), verified(2, "ade")], [])) == {"abcde"}

    def test_a_merge_joins_two_products_and_all_their_images(self) -> None:
        found = partition([verified(1, "abx"), verified(2, "cdy"), merged(3, "ab", "cd")], [])
        assert products(found) == {"abcdxy"}

    def test_products_that_are_told_apart_stay_apart_and_are_known_to_differ(self) -> None:
        found = partition(
            [verified(1, "ab"), verified(2, "cd"), merged(3, "ab", "cd", DecisionKind.DIFFERENT)],
            [],
        )
        assert products(found) == {"ab", "cd"}
        assert found.differ("a", "d")

    def test_attached_images_join_the_product_of_the_manifest(self) -> None:
        attached = decided(
            1, QuestionKind.ATTACH, DecisionKind.SAME, ["ab", "cd"], "e", references="ab"
        )
        found = partition([attached], listed("abz", "Kaffee"))
        assert products(found) == {"abcdz"}
        assert found.product_of["c"] == manifest_product("Kaffee")
        assert found.differ("e", "z")

    def test_a_split_makes_a_product_of_each_group(self) -> None:
        found = partition(
            [decided(1, QuestionKind.SPLIT, DecisionKind.DIFFERENT, ["ab", "cd"], "e")], []
        )
        assert products(found) == {"ab", "cd"}
        assert found.differ("e", "a")
        assert found.differ("e", "c")

    def test_what_is_only_referred_to_is_no_product(self) -> None:
        assert products(partition([merged(1, "ab", "cd")], [])) == set()


class TestWhatIsWorthAsking:
    def test_products_that_are_told_apart_are_not_compared_again(self) -> None:
        log = [verified(1, "ab", name="Tee"), verified(2, "cd", name="Te", locale="sv-SE")]
        before = partition(log, [])
        assert before.may_be_same(before.product_of["a"], before.product_of["c"])
        after = partition([*log, merged(3, "a", "c", DecisionKind.DIFFERENT)], [])
        assert not after.may_be_same(after.product_of["a"], after.product_of["c"])

    def test_a_product_is_compared_when_it_has_a_name(self) -> None:
        found = partition([verified(1, "ab"), verified(2, "cd", name="Tee")], [])
        assert not found.may_be_same(found.product_of["a"], found.product_of["c"])

    def test_products_that_a_manifest_lists_in_one_locale_are_two(self) -> None:
        found = partition([], [*listed("a", "Tee"), *listed("b", "Kaffee")])
        assert not found.may_be_same(manifest_product("Tee"), manifest_product("Kaffee"))

    def test_names_in_one_locale_that_are_not_alike_say_enough(self) -> None:
        log = [
            verified(1, "ab", name="Hafermilch 1 l"),
            verified(2, "cd", name="Hafermlich 1 l"),
            verified(3, "ef", name="Orangensaft"),
        ]
        found = partition(log, [])
        oats, typo, juice = (found.product_of[image] for image in "ace")
        assert found.may_be_same(oats, typo)
        assert not found.may_be_same(oats, juice)

    def test_products_that_manifests_list_in_two_locales_may_be_one(self) -> None:
        found = partition([], [*listed("a", "Tee"), *listed("b", "Te", "sv-SE")])
        assert found.may_be_same(manifest_product("Tee"), manifest_product("Te"))


class TestConstraints:
    def test_two_pictures_told_apart_are_no_products_and_are_not_clustered_together(self) -> None:
        mixed = decided(1, QuestionKind.VERIFY, DecisionKind.DIFFERENT, ["a", "b"])
        found = partition([mixed], [])
        assert products(found) == set()
        assert found.constraints(["x", "b", "a"]) == ([-1, -1, -1], [(2, 1)])

    def test_a_known_product_is_one_group_that_a_removed_picture_is_not_linked_to(self) -> None:
        found = partition([verified(1, "abc", removed="d")], [])
        must_link, [pair] = found.constraints(["d", "c", "a"])
        assert must_link == [-1, 0, 0]
        assert set(pair) == {0, 1}


class TestNames:
    def test_groups_of_one_name_in_one_locale_are_one_product(self) -> None:
        sheets = [verified(1, "ab", name="Kaffee 500 g"), verified(2, "cd", name="kaffee 500g")]
        assert products(partition(sheets, [])) == {"abcd"}

    def test_the_same_name_in_another_locale_joins_nothing(self) -> None:
        sheets = [verified(1, "ab", name="Cola"), verified(2, "cd", name="Cola", locale="sv-SE")]
        assert products(partition(sheets, [])) == {"ab", "cd"}

    def test_a_product_that_is_merged_across_locales_has_a_name_in_each(self) -> None:
        found = partition(
            [
                verified(1, "ab", name="Kaffee"),
                verified(2, "cd", name="コーヒー", locale="ja-JP"),
                merged(3, "ab", "cd", locale="ja-JP"),
            ],
            [],
        )
        [product] = found.images()
        assert found.names == {(product, "de-DE"): "Kaffee", (product, "ja-JP"): "コーヒー"}

    def test_a_manifest_names_its_product_whatever_annotators_call_it(self) -> None:
        attached = decided(
            1, QuestionKind.ATTACH, DecisionKind.SAME, ["a", "bcd"], references="a", name="Tee"
        )
        found = partition([attached], listed("a", "Kaffee"))
        assert found.names == {(manifest_product("Kaffee"), "de-DE"): "Kaffee"}

    def test_two_products_that_share_a_name_but_are_told_apart_ask_nothing(self) -> None:
        found = partition(
            [
                verified(1, "ab", name="Kaffee"),
                verified(2, "cd", name="Kaffee"),
                merged(3, "ab", "cd", DecisionKind.DIFFERENT),
            ],
            [],
        )
        assert products(found) == {"ab", "cd"}
        assert found.contradictions == ()


class TestContradictions:
    def test_a_doubtful_merge_gives_way_to_a_sure_difference_and_is_asked_about(self) -> None:
        found = partition(
            [
                verified(1, "ab"),
                verified(2, "bc"),
                verified(3, "de"),
                merged(4, "bc", "de", posterior=DOUBTFUL),
                merged(5, "ab", "de", DecisionKind.DIFFERENT),
            ],
            [],
        )
        assert products(found) == {"abc", "de"}
        [contradiction] = found.contradictions
        assert {contradiction.left, contradiction.right} == {("a", "b", "c"), ("d", "e")}
        assert contradiction.decision_ids == ("decision 004", "decision 005")

    def test_a_doubtful_difference_gives_way_to_what_is_sure(self) -> None:
        found = partition(
            [verified(1, "abc"), verified(2, "abd", removed="c", posterior=DOUBTFUL)], []
        )
        assert products(found) == {"abcd"}
        assert not found.differ("a", "c")
        assert len(found.contradictions) == 1

    def test_what_was_asked_about_a_contradiction_does_not_make_another_of_it(self) -> None:
        log = [verified(1, "abc"), verified(2, "abd", removed="c", posterior=DOUBTFUL)]
        before = partition(log, [])
        after = partition([*log, merged(3, "ab", "c")], [])
        assert [each.key for each in after.contradictions] == [
            each.key for each in before.contradictions
        ]

    def test_a_manifest_does_not_give_way_to_a_doubtful_answer(self) -> None:
        found = partition([verified(1, "a", removed="b", posterior=DOUBTFUL)], listed("ab", "Tee"))
        assert products(found) == {"ab"}


letters = "abcdefghij"
truths = st.dictionaries(
    st.sampled_from(letters), st.integers(0, 3), min_size=len(letters), max_size=len(letters)
)


def honest(truth: dict[str, int], random: Random, n_questions: int) -> list[Decided]:
    """Decisions of people who never err, about sheets drawn at random."""
    found = []
    for number in range(n_questions):
        sheet = random.sample(letters, random.randint(2, 6))
        kind = truth[sheet[0]]
        kept = "".join(image for image in sheet if truth[image] == kind)
        removed = "".join(image for image in sheet if truth[image] != kind)
        found.append(verified(number, kept, removed))
    return found


@given(truths, st.randoms(use_true_random=False), st.integers(0, 12))
def test_honest_decisions_never_contradict_and_never_join_two_products(
    truth: dict[str, int], random: Random, n_questions: int
) -> None:
    found = partition(honest(truth, random, n_questions), [])
    assert found.contradictions == ()
    for images in found.images().values():
        assert len({truth[image] for image in images}) == 1


mistaken = st.lists(
    st.tuples(
        st.sets(st.sampled_from(letters), min_size=2, max_size=5),
        st.sets(st.sampled_from(letters), max_size=3),
        st.sampled_from([DOUBTFUL, 0.8, SURE]),
    ),
    max_size=8,
)


def sheets(drawn: list[tuple[set[str], set[str], float]]) -> list[Decided]:
    return [
        verified(
            number, "".join(sorted(kept)), "".join(sorted(removed - kept)), posterior=posterior
        )
        for number, (kept, removed, posterior) in enumerate(drawn)
    ]


@given(mistaken, st.randoms(use_true_random=False))
def test_the_order_of_the_decisions_does_not_matter(
    drawn: list[tuple[set[str], set[str], float]], random: Random
) -> None:
    log = sheets(drawn)
    shuffled = list(log)
    random.shuffle(shuffled)
    assert partition(shuffled, []) == partition(log, [])


@given(mistaken)
def test_nothing_that_is_known_to_differ_is_one_product(
    drawn: list[tuple[set[str], set[str], float]],
) -> None:
    found = partition(sheets(drawn), [])
    for first, second in found.apart:
        assert found.product_of.get(first, first) != found.product_of.get(second, second)


@given(mistaken, st.integers(0, 7))
@settings(max_examples=50)
def test_undoing_a_decision_leads_back_to_what_was_before_it(
    drawn: list[tuple[set[str], set[str], float]], number: int
) -> None:
    log = sheets(drawn)
    without = [each for place, each in enumerate(log) if place != number]
    labels = changed_labels(partition(without, []), [], [])
    after = changed_labels(partition(log, []), [], labels)
    newest = {label.image_id: label for label in [*labels, *after]}
    undone = changed_labels(partition(without, []), [], newest.values())
    newest |= {label.image_id: label for label in undone}
    standing = {image: label.product_id for image, label in newest.items() if not label.withdrawn}
    assert standing == dict(partition(without, []).product_of)


def test_an_image_that_manifests_label_in_two_ways_joins_no_products() -> None:
    found = partition([], [*listed("abx", "Tee"), *listed("cdx", "Kaffee")])
    assert products(found) == {"ab", "cd"}


class TestLabels:
    def test_what_did_not_change_is_not_labelled_again(self) -> None:
        found = partition([verified(1, "ab")], listed("c", "Tee"))
        labels = [
            *changed_labels(found, listed("c", "Tee"), listed("c", "Tee")),
            *listed("c", "Tee"),
        ]
        assert {label.image_id for label in labels} == {"a", "b", "c"}
        assert changed_labels(found, listed("c", "Tee"), labels) == []

    def test_a_merge_relabels_the_product_that_takes_another_identity(self) -> None:
        before = changed_labels(partition([verified(1, "ab")], []), [], [])
        tea = listed("c", "Tee")
        found = partition([verified(1, "ab"), merged(2, "c", "ab")], tea)
        after = changed_labels(found, tea, [*before, *tea])
        assert {(label.image_id, label.product_id) for label in after} == {
            ("a", manifest_product("Tee")),
            ("b", manifest_product("Tee")),
        }
        assert {label.supersedes_id for label in after} == {label.id for label in before}

    def test_the_pictures_of_a_sheet_share_its_time(self) -> None:
        labels = changed_labels(partition([verified(1, "abc", removed="d")], []), [], [])
        assert [label.seconds for label in labels] == [2.0, 2.0, 2.0]

    def test_an_image_that_two_manifests_label_differently_is_left_to_the_gate(self) -> None:
        both = [*listed("a", "Tee"), *listed("a", "Kaffee")]
        assert changed_labels(partition([], both), both, both) == []

    def test_every_label_of_a_removed_image_is_withdrawn_and_stays_so(self) -> None:
        both = [*listed("a", "Tee"), *listed("a", "Kaffee"), *listed("b", "Tee")]
        withdrawn = changed_labels(partition([], both), both, both, removed="a")
        assert {(each.image_id, each.withdrawn) for each in withdrawn} == {("a", True)}
        assert {each.supersedes_id for each in withdrawn} == {each.id for each in both[:2]}
        newest = [*withdrawn, both[2]]
        assert changed_labels(partition([], both), both, newest, removed="a") == []

    def test_what_a_removed_image_told_of_others_stays_told(self) -> None:
        joined = [verified(1, "ax"), verified(2, "xb")]
        labels = changed_labels(partition(joined, []), [], [], removed="x")
        assert {each.image_id for each in labels} == {"a", "b"}
        assert len({each.product_id for each in labels}) == 1
