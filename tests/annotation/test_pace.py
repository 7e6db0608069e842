"""The time model is found again in the times that follow from it, and little data moves little."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotation import Effort, Fit, fit_pace
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
)

kinds = st.sampled_from(QuestionKind)
positive = st.floats(0.2, 10)
efforts = st.builds(
    Effort,
    seconds_per_sheet=positive,
    seconds_per_picture=positive,
    seconds_per_intruder=positive,
    seconds_per_merge=positive,
    seconds_per_sorted=positive,
)
anything = st.lists(
    st.builds(
        Timing,
        site=st.sampled_from(["a", "b"]),
        locale=st.sampled_from(["de-DE", "ja-JP"]),
        kind=kinds,
        n_pictures=st.integers(1, 60),
        n_removed=st.integers(0, 20),
        seconds=st.floats(1e-3, 1e6),
    ),
    max_size=30,
)


def taken(
    effort: Effort,
    n: int,
    *,
    kind: QuestionKind = VERIFY,
    site: str = "a",
    locale: str = "de-DE",
    spread: float = 0.25,
    idle: float = 0.0,
    seed: int = 0,
) -> list[Timing]:
    """The times of `n` answers; of a share that is `idle`, one in four was clicked through."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        n_pictures = int(draw.integers(4, 60))
        n_removed = int(min(draw.poisson(1.5), n_pictures // 2))
        seconds = effort.seconds(kind, n_pictures, n_removed) * draw.lognormal(
            -(spread**2) / 2, spread
        )
        if draw.random() < idle:
            seconds *= draw.uniform(10, 1000) if draw.random() < 0.75 else 0.05
        found.append(Timing(site, locale, kind, n_pictures, n_removed, seconds))
    return found


def learnt(timings: list[Timing], kind: QuestionKind = VERIFY, site: str = "a") -> Fit:
    return fit_pace(timings, ASSUMED).of(site, "de-DE", kind)


def mean_of(effort: Effort, kind: QuestionKind) -> np.ndarray:
    line = effort.line(kind)
    return np.array([line.question, line.picture, line.removed])[: TERMS[kind]]


class TestWhatTheAnswersTell:
    @settings(max_examples=15, deadline=None)
    @given(efforts, kinds, st.integers(0, 1000))
    def test_a_fifth_that_was_idle_or_clicked_through_hides_nothing(
        self, effort: Effort, kind: QuestionKind, seed: int
    ) -> None:
        found = learnt(taken(effort, 3000, kind=kind, idle=0.2, seed=seed), kind)
        for n_pictures, n_removed in ((10, 0), (30, 2), (60, 0)):
            assert found.seconds(n_pictures, n_removed) == pytest.approx(
                effort.seconds(kind, n_pictures, n_removed), rel=0.08
            )

    @pytest.mark.parametrize("kind", QuestionKind)
    def test_each_coefficient_is_found(self, kind: QuestionKind) -> None:
        found = learnt(taken(SLOW, 20_000, kind=kind, idle=0.2), kind)
        assert found.mean == pytest.approx(mean_of(SLOW, kind), rel=0.1)
        assert not any(found.assumed)

    def test_they_are_those_of_a_robust_regression(self) -> None:
        timings = taken(SLOW, 20_000, idle=0.1)
        design = np.array([[1, each.n_pictures, each.n_removed] for each in timings], float)
        usual = design @ mean_of(SLOW, VERIFY)
        reference = sm.RLM(
            np.array([each.seconds for each in timings]) / usual,
            design / usual[:, None],
            M=sm.robust.norms.TukeyBiweight(),
        ).fit()
        assert learnt(timings).mean == pytest.approx(reference.params, rel=0.1)

    def test_the_intervals_hold_the_truth_as_often_as_they_promise(self) -> None:
        draw, n_held, n_rounds = np.random.default_rng(1), 0, 100
        names = ("seconds_per_sheet", "seconds_per_picture", "seconds_per_intruder")
        usual = mean_of(ASSUMED, VERIFY)
        for seed in range(n_rounds):
            # As far from the usual as the fit believes that a vendor may be.
            coefficients = np.maximum(draw.normal(usual, 0.3 * usual), 0)
            true = Effort(**dict(zip(names, coefficients.tolist(), strict=True)))
            found = learnt(taken(true, 60, seed=seed)).coefficients
            n_held += sum(c.low <= t <= c.high for c, t in zip(found, coefficients, strict=True))
        assert n_held / (3 * n_rounds) > 0.9

    def test_whoever_takes_as_long_as_predicted_is_explained(self) -> None:
        found = learnt(taken(SLOW, 500, spread=0))
        assert found.explained > 0.98
        for each in found.bins:
            assert each.middle == pytest.approx(each.predicted, rel=0.1)
        assert sum(each.n for each in found.bins) == found.n == 500


class TestLittleData:
    @given(efforts, kinds, st.integers(1, 60), st.integers(0, 20))
    def test_without_answers_it_is_what_is_assumed(
        self, prior: Effort, kind: QuestionKind, n_pictures: int, n_removed: int
    ) -> None:
        asked = question("x" * n_pictures, kind, references="y")
        pace, n_shown = fit_pace([], prior), n_pictures + 1
        expected = prior.seconds(kind, n_shown, n_removed)
        assert pace.seconds("a", "de-DE", asked, n_removed) == pytest.approx(expected)
        assert pace.at("a", "de-DE").seconds(kind, n_shown, n_removed) == pytest.approx(expected)
        assert all(pace.of("a", "de-DE", kind).assumed)
        assert pace.known() == []

    @settings(max_examples=50, deadline=None)
    @given(kinds, st.integers(1, 60), st.floats(1e-3, 1e6))
    @example(QuestionKind.MERGE, 24, 1e6)
    def test_one_answer_whatever_it_took_moves_less_than_twofold(
        self, kind: QuestionKind, n_pictures: int, seconds: float
    ) -> None:
        found = learnt([Timing("a", "de-DE", kind, n_pictures, 0, seconds)], kind)
        ratio = found.seconds(n_pictures) / ASSUMED.seconds(kind, n_pictures)
        assert abs(math.log(ratio)) < math.log(2)
        assert all(found.assumed)

    def test_a_page_left_open_for_a_day_counts_as_for_an_hour(self) -> None:
        usual = taken(SLOW, 100)
        hour, day = (Timing("a", "de-DE", VERIFY, 20, 0, hours * 3600) for hours in (1, 24))
        left, right = learnt([*usual, hour]), learnt([*usual, day])
        assert left.mean == pytest.approx(right.mean, rel=1e-3)

    def test_more_answers_leave_less_doubt(self) -> None:
        doubts = [np.diag(learnt(taken(SLOW, n)).covariance) for n in (0, 30, 300, 3000)]
        assert (np.diff(doubts, axis=0) < 0).all()


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

    def test_another_locale_tells_of_a_kind_of_question_and_not_of_another_kind(self) -> None:
        timings = taken(SLOW, 1000, locale="ja-JP", kind=QuestionKind.MERGE)
        assert learnt(timings, QuestionKind.MERGE).seconds(24) == pytest.approx(11, rel=0.1)
        assert learnt(timings, VERIFY).mean == pytest.approx(mean_of(ASSUMED, VERIFY))


@settings(max_examples=40, deadline=None)
@given(anything, st.randoms(use_true_random=False))
def test_the_order_of_the_answers_changes_nothing(timings: list[Timing], random: object) -> None:
    shuffled = list(timings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found, again = fit_pace(timings, ASSUMED), fit_pace(shuffled, ASSUMED)
    assert found.known() == again.known()
    for vendor, locale, kind in found.known():
        assert found.of(vendor, locale, kind).mean == pytest.approx(
            again.of(vendor, locale, kind).mean, rel=1e-4
        )


@settings(max_examples=40, deadline=None)
@given(anything, kinds, st.integers(1, 59), st.integers(0, 19))
def test_more_to_do_never_takes_less_time(
    timings: list[Timing], kind: QuestionKind, n_pictures: int, n_removed: int
) -> None:
    pace = fit_pace(timings, ASSUMED)
    for vendor in ("a", "b", "new"):
        found = pace.of(vendor, "de-DE", kind)
        assert (found.mean > 0).all()
        assert all(c.low <= c.value <= c.high for c in found.coefficients)
        less = found.seconds(n_pictures, n_removed)
        assert less <= found.seconds(n_pictures + 1, n_removed)
        assert less <= found.seconds(n_pictures, n_removed + 1)
