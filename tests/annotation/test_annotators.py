"""What is said of annotators follows from their answers, with how much those can tell."""

import numpy as np
import pandas as pd
import pytest
from crowdkit.metrics.data import alpha_krippendorff
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm

from annotation import picture_alpha, records, verdict_alpha
from annotation.annotators import SAME_ANSWER_RUN, Share, krippendorff
from catalog.schema import Desk, Verdict
from tests.annotation.answers_of import answer, question

GOLD = {"verdict": "confirm", "intruder_ids": ["a"]}


@given(st.integers(0, 200), st.integers(1, 200))
def test_the_interval_of_a_share_is_wilsons(n_right: int, more: int) -> None:
    n = n_right + more
    share, p, z = Share.of(n_right, n), n_right / n, norm.ppf(0.975)
    for end in (share.low, share.high):
        # Wilson (1927): the ends are those true shares of which p is just z deviations away.
        assert abs(p - end) == pytest.approx(z * np.sqrt(end * (1 - end) / n), abs=1e-6)
    assert share.low - 1e-12 <= p <= share.high + 1e-12


def test_a_share_of_few_says_so() -> None:
    assert "few" in str(Share.of(9, 10))
    assert "few" not in str(Share.of(90, 100))
    assert str(Share.of(0, 0)) == "–"


votes = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("ABCD"), st.sampled_from(["yes", "no", "hm"])),
    min_size=4,
    max_size=30,
    unique_by=lambda vote: vote[:2],
)


@given(votes)
def test_alpha_is_that_of_crowd_kit(drawn: list[tuple[int, str, str]]) -> None:
    table = pd.DataFrame(drawn, columns=["task", "worker", "label"])
    counts = pd.crosstab(table["task"], table["label"])
    paired = counts[counts.sum(axis=1) > 1]
    assume(len(paired) and (paired.sum() > 0).sum() > 1)
    kept = table[table["task"].isin(paired.index)]
    found = krippendorff([row[None] for row in counts.to_numpy()])
    assert found.value == pytest.approx(alpha_krippendorff(kept), abs=1e-9)
    assert found.n_items == len(paired)


def test_annotators_who_always_agree_have_an_alpha_of_one() -> None:
    asked = [question("ab", identity=str(n)) for n in range(10)]
    given_ = {
        q.id: [answer(name, intruders="a" if n % 2 else "", to=q.id) for name in ("ada", "bo")]
        for n, q in enumerate(asked)
    }
    assert verdict_alpha(asked, given_).value == 1
    assert picture_alpha(asked, given_).value == 1


def test_one_annotator_alone_has_no_alpha() -> None:
    assert picture_alpha([question("ab")], {"q": [answer()]}).n_items == 0


class TestRecords:
    def record(self, given_: dict[str, list], **gold: dict[str, object]) -> dict[str, object]:
        asked = {key: question("abc", identity=key, expected=gold.get(key)) for key in given_}
        return {each.annotator: each for each in records(asked, given_)}

    def test_gold_tells_who_is_right(self) -> None:
        found = self.record(
            {"g": [answer("ada", intruders="a", to="g"), answer("bo", to="g")]}, g=GOLD
        )
        assert (found["ada"].gold.value, found["bo"].gold.value) == (1.0, 0.0)

    def test_agreement_is_with_anybody_else_who_answered(self) -> None:
        found = self.record(
            {
                "q": [
                    answer("ada", to="q"),
                    answer("bo", to="q"),
                    answer("chen", Verdict.MIXED, to="q"),
                ]
            }
        )
        assert [found[name].agreement.value for name in ("ada", "bo", "chen")] == [1.0, 1.0, 0.0]

    def test_skill_follows_from_gold_and_from_agreement(self) -> None:
        given_ = {
            f"{kind}{n}": [
                answer("ada", intruders="a", to=f"{kind}{n}"),
                answer("bo", intruders="a", to=f"{kind}{n}"),
                answer("mallory", intruders="b", to=f"{kind}{n}"),
            ]
            for kind in "gq"
            for n in range(10)
        }
        found = self.record(given_, **{f"g{n}": GOLD for n in range(10)})
        assert found["ada"].skill == found["bo"].skill > 0.9 > found["mallory"].skill
        assert found["ada"].n_judged == 3 * 20

    def test_what_the_lead_decided_counts_for_who_was_asked_before(self) -> None:
        found = self.record({"q": [answer("ada"), answer("eve", desk=Desk.LEAD)]})
        assert found["ada"].n_answered == 1

    def test_time_is_the_median_of_a_question(self) -> None:
        given_ = {str(n): [answer(seconds=s, to=str(n))] for n, s in enumerate([1.0, 5.0, 90.0])}
        assert self.record(given_)["ada"].seconds == 5.0

    def test_who_always_says_the_same_or_is_implausibly_fast_is_to_be_looked_into(self) -> None:
        always = {
            str(n): [answer(seconds=0.1, to=str(n), minute=n)] for n in range(SAME_ANSWER_RUN)
        }
        same, fast = self.record(always)["ada"].flags
        assert "all the same" in same
        assert "less than" in fast

    def test_who_misses_the_intruders_of_gold_is_to_be_looked_into(self) -> None:
        gold = {f"g{n}": GOLD for n in range(5)}
        found = self.record({key: [answer(to=key)] for key in gold}, **gold)
        assert found["ada"].flags == ("misses the intruders of most gold questions",)

    def test_the_trend_compares_the_later_half_with_the_earlier(self) -> None:
        given_ = {
            f"{n:02}": [
                answer("ada", to=f"{n:02}", minute=n),
                answer("bo", Verdict.CONFIRM if n < 5 else Verdict.MIXED, to=f"{n:02}", minute=n),
            ]
            for n in range(10)
        }
        assert self.record(given_)["ada"].trend == -1.0
