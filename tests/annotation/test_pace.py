"""The time model is found again in the times that follow from it, and little data moves little."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotation import Effort, Fit, Work, fit_pace
from annotation.pace import TERMS
from catalog.schema import QuestionKind
from catalog.timings import Timing
from tests.annotation.answers_of import question

VERIFY = QuestionKind.VERIFY
ASSUMED = Effort()
SLOW = Effort(
    seconds_per_sheet=9,
    seconds_per_picture=1.6,
    seconds_per_intruder=3.5,
    seconds_per_merge=11,
    seconds_per_sorted=4,
    seconds_per_name=12,
)

kinds = st.sampled_from(QuestionKind)
works = st.sampled_from(Work)
positive = st.floats(0.2, 10)
efforts = st.builds(
    Effort,
    seconds_per_sheet=positive,
    seconds_per_picture=positive,
    seconds_per_intruder=positive,
    seconds_per_merge=positive,
    seconds_per_sorted=positive,
    seconds_per_name=positive,
)
anything = st.lists(
    st.builds(
        Timing,
        site=st.sampled_from(["a", "b"]),
        locale=st.sampled_from(["de-DE", "ja-JP"]),
        kind=kinds,
        n_pictures=st.integers(1, 60),
        n_removed=st.integers(0, 20),
        named=st.booleans(),
        seconds=st.floats(1e-3, 1e6),
    ),
    max_size=30,
)


def taken(
    effort: Effort,
    n: int,
    *,
    work: Work = Work.VERIFY,
    site: str = "a",
    locale: str = "de-DE",
    spread: float = 0.25,
    idle: float = 0.0,
    seed: int = 0,
) -> list[Timing]:
    """The times of `n` answers; of a share that is `idle`, one in four was clicked through."""
    draw = np.random.default_rng(seed)
    kind = kind_of(work)
    found = []
    for _ in range(n):
        n_pictures = 1 if work == Work.SINGLE else int(draw.integers(4, 60))
        n_removed = int(min(draw.poisson(1.5), n_pictures // 2))
        named = bool(draw.random() < 0.6)
        usual = effort.seconds(kind, n_pictures, n_removed, named)
        seconds = usual * draw.lognormal(-(spread**2) / 2, spread)
        if draw.random() < idle:
            seconds *= draw.uniform(10, 1000) if draw.random() < 0.75 else 0.05
        found.append(Timing(site, locale, kind, n_pictures, n_removed, named, seconds))
    return found


def kind_of(work: Work) -> QuestionKind:
    return VERIFY if work == Work.SINGLE else QuestionKind(work)


def learnt(timings: list[Timing], work: Work = Work.VERIFY, site: str = "a") -> Fit:
    return fit_pace(timings, ASSUMED).of(site, "de-DE", work)


def mean_of(effort: Effort, work: Work) -> list[float]:
    return [getattr(effort.line(work), term) for term in TERMS[work]]


class TestWhatTheAnswersTell:
    @settings(max_examples=15)
    @given(efforts, works, st.integers(0, 1000))
    def test_a_fifth_that_was_idle_or_clicked_through_hides_nothing(
        self, effort: Effort, work: Work, seed: int
    ) -> None:
        found = learnt(taken(effort, 3000, work=work, idle=0.2, seed=seed), work)
        sheets = ((10, 0, 1), (30, 2, 1), (60, 0, 0))
        for asked in sheets if work != Work.SINGLE else ((1, 0, 0), (1, 0, 1)):
            expected = effort.line(work).seconds(*asked)
            assert found.seconds(*asked) == pytest.approx(expected, rel=0.08)

    @pytest.mark.parametrize("work", Work)
    def test_each_coefficient_is_found(self, work: Work) -> None:
        found = learnt(taken(SLOW, 20_000, work=work, idle=0.2), work)
        assert found.mean == pytest.approx(mean_of(SLOW, work), rel=0.1)
        assert not any(found.assumed)

    def test_they_are_those_of_a_robust_regression(self) -> None:
        timings = taken(SLOW, 20_000, idle=0.1)
        counts = [(1, each.n_pictures, each.n_removed, each.named) for each in timings]
        design = np.array(counts, float)
        usual = design @ mean_of(SLOW, Work.VERIFY)
        reference = sm.RLM(
            np.array([each.seconds for each in timings]) / usual,
            design / usual[:, None],
            M=sm.robust.norms.TukeyBiweight(),
        ).fit()
        assert learnt(timings).mean == pytest.approx(reference.params, rel=0.1)

    def test_the_intervals_hold_the_truth_as_often_as_they_promise(self) -> None:
        draw, n_held, n_rounds = np.random.default_rng(1), 0, 100
        names = [f"seconds_per_{each}" for each in ("sheet", "picture", "intruder", "name")]
        usual = np.array(mean_of(ASSUMED, Work.VERIFY))
        for seed in range(n_rounds):
            # As far from the usual as the fit believes that a vendor may be.
            coefficients = np.maximum(draw.normal(usual, 0.3 * usual), 0)
            true = Effort(**dict(zip(names, coefficients.tolist(), strict=True)))
            found = learnt(taken(true, 60, seed=seed)).coefficients.values()
            n_held += sum(c.low <= t <= c.high for c, t in zip(found, coefficients, strict=True))
        assert n_held / (len(names) * n_rounds) > 0.9

    def test_a_picture_that_is_only_named_tells_nothing_of_sheets(self) -> None:
        found = fit_pace(taken(SLOW, 1000, work=Work.SINGLE), ASSUMED).at("a", "de-DE")
        assert found.seconds(VERIFY, 1, n_named=1) == pytest.approx(1.6 + 12, rel=0.05)
        sheet = ASSUMED.seconds(VERIFY, 2, n_named=1)
        assert found.seconds(VERIFY, 2, n_named=1) == pytest.approx(sheet)

    def test_whoever_takes_as_long_as_predicted_is_explained(self) -> None:
        found = learnt(taken(SLOW, 500, spread=0))
        assert found.explained > 0.98
        for each in found.bins:
            assert each.middle == pytest.approx(each.predicted, rel=0.1)
        assert sum(each.n for each in found.bins) == found.n == 500


class TestLittleData:
    @given(efforts, kinds, st.integers(1, 60), st.integers(0, 20), st.integers(0, 1))
    def test_without_answers_it_is_what_is_assumed(
        self, prior: Effort, kind: QuestionKind, n_pictures: int, n_removed: int, n_named: int
    ) -> None:
        asked = question("x" * n_pictures, kind)
        pace = fit_pace([], prior)
        expected = pytest.approx(prior.seconds(kind, n_pictures, n_removed, n_named))
        assert pace.seconds("a", "de-DE", asked, n_removed, n_named) == expected
        assert pace.at("a", "de-DE").seconds(kind, n_pictures, n_removed, n_named) == expected
        assert all(pace.of("a", "de-DE", Work.of(kind, n_pictures)).assumed)
        assert pace.known() == []

    @settings(max_examples=50)
    @given(kinds, st.integers(1, 60), st.booleans(), st.floats(1e-3, 1e6))
    @example(QuestionKind.MERGE, 24, False, 1e6)
    def test_one_answer_whatever_it_took_moves_less_than_twofold(
        self, kind: QuestionKind, n_pictures: int, named: bool, seconds: float
    ) -> None:
        answer = Timing("a", "de-DE", kind, n_pictures, 0, named, seconds)
        found = learnt([answer], Work.of(kind, n_pictures))
        ratio = found.seconds(n_pictures, 0, named) / ASSUMED.seconds(kind, n_pictures, 0, named)
        assert abs(math.log(ratio)) < math.log(2)
        assert all(found.assumed)

    def test_a_page_left_open_for_a_day_counts_as_for_an_hour(self) -> None:
        usual = taken(SLOW, 100)
        hour, day = (Timing("a", "de-DE", VERIFY, 20, 0, True, hours * 3600) for hours in (1, 24))
        left, right = learnt([*usual, hour]), learnt([*usual, day])
        assert left.mean == pytest.approx(right.mean, rel=1e-3)

    def test_more_answers_leave_less_doubt(self) -> None:
        doubts = [np.diag(learnt(taken(SLOW, n)).covariance) for n in (0, 30, 300, 3000)]
        assert (np.diff(doubts, axis=0) < 0).all()


TWO_VENDORS = fit_pace([*taken(SLOW, 200), *taken(ASSUMED, 20, site="b")], ASSUMED)


class TestVendors:
    def test_a_new_vendor_is_taken_for_a_usual_one_with_more_doubt(self) -> None:
        timings = [
            *taken(SLOW, 500, site="a"),
            *taken(SLOW, 500, site="b", seed=1),
        ]
        old, new = learnt(timings, site="a"), learnt(timings, site="c")
        assert new.seconds(30, 1) == pytest.approx(SLOW.seconds(VERIFY, 30, 1), rel=0.05)
        assert new.n == 0
        assert all(new.assumed)
        assert (np.diag(new.covariance) > np.diag(old.covariance)).all()

    def test_a_vendor_with_answers_of_its_own_is_known_by_these(self) -> None:
        timings = [*taken(SLOW, 2000, site="a"), *taken(ASSUMED, 2000, site="b")]
        for site, effort in (("a", SLOW), ("b", ASSUMED)):
            found = learnt(timings, site=site)
            assert found.seconds(30, 1) == pytest.approx(effort.seconds(VERIFY, 30, 1), rel=0.05)

    def test_another_locale_tells_of_a_work_and_not_of_another_work(self) -> None:
        timings = taken(SLOW, 1000, locale="ja-JP", work=Work.MERGE)
        assert learnt(timings, Work.MERGE).seconds(24) == pytest.approx(11, rel=0.1)
        assert learnt(timings).mean == pytest.approx(mean_of(ASSUMED, Work.VERIFY))

    @given(works, st.integers(1, 60), st.integers(0, 20), st.integers(0, 1))
    def test_a_question_that_falls_to_any_of_several_takes_their_mean(
        self, work: Work, n_pictures: int, n_removed: int, n_named: int
    ) -> None:
        asked = (n_pictures, n_removed, n_named)
        each = [TWO_VENDORS.of(site, "de-DE", work).seconds(*asked) for site in "ab"]
        both = TWO_VENDORS.among(["a", "b"], "de-DE").line(work).seconds(*asked)
        assert both == pytest.approx(np.mean(each))

    def test_where_there_is_no_vendor_a_usual_one_is_assumed(self) -> None:
        assert TWO_VENDORS.among([], "de-DE") == TWO_VENDORS.at("new", "de-DE")


@settings(max_examples=40)
@given(anything, st.randoms(use_true_random=False))
def test_the_order_of_the_answers_changes_nothing(timings: list[Timing], random: object) -> None:
    shuffled = list(timings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found, again = fit_pace(timings, ASSUMED), fit_pace(shuffled, ASSUMED)
    assert found.known() == again.known()
    for key in found.known():
        assert found.of(*key).mean.tolist() == again.of(*key).mean.tolist()


@settings(max_examples=40)
@given(anything, works, st.integers(1, 59), st.integers(0, 19))
def test_more_to_do_never_takes_less_time(
    timings: list[Timing], work: Work, n_pictures: int, n_removed: int
) -> None:
    pace = fit_pace(timings, ASSUMED)
    for vendor in ("a", "b", "new"):
        found = pace.of(vendor, "de-DE", work)
        assert (found.mean > 0).all()
        assert all(c.low <= c.value <= c.high for c in found.coefficients.values())
        less = found.seconds(n_pictures, n_removed)
        assert less <= found.seconds(n_pictures + 1, n_removed)
        assert less <= found.seconds(n_pictures, n_removed + 1)
        assert less <= found.seconds(n_pictures, n_removed, 1)
