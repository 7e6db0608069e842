"""The survey's figures beside their definitions, and its sentences beside what was made."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from expectations.pictures import Routed
from expectations.plan import Plan, Wanted
from expectations.survey import (
    FEWEST,
    NAMES,
    Survey,
    as_vectors,
    cliffs_delta,
    differences,
    fits,
    holdings,
    ranks_of_quality,
    spreads,
    strangest,
    survey,
    typical,
    worst,
)

NOBODY = Routed({}, {})


def images(**counts: dict[str, int]) -> pd.DataFrame:
    """Images without products: how many of each category in each locale ("sv_SE")."""
    rows = [
        (locale.replace("_", "-"), None, category)
        for locale, categories in counts.items()
        for category, count in categories.items()
        for _ in range(count)
    ]
    return pd.DataFrame(rows, columns=["locale", "product_id", "category"], dtype=object).rename(
        index=lambda row: f"{row:06}"
    )


def measured(**sharpness: list[float]) -> pd.DataFrame:
    """Pictures alike in all but sharpness."""
    rows = [
        dict.fromkeys(NAMES, 0.5) | {"sharpness": value, "locale": locale.replace("_", "-")}
        for locale, values in sharpness.items()
        for value in values
    ]
    return pd.DataFrame(rows).rename(index=lambda row: f"{row:06}")


class TestCoverage:
    PLAN = Plan(
        category="shelf",
        locales={"de-DE": Wanted(images=100, products=3), "sv-SE": Wanted(images=100)},
        categories={"milk": Wanted(images=50), "juice": Wanted(images=50)},
    )

    def test_what_is_missing_is_what_the_plan_wants_and_nobody_has(self) -> None:
        found = images(de_DE={"milk": 60, "juice": 10})
        found.loc[found.index[:30], "product_id"] = ["one", "two"] * 15
        missing = {
            (each.locale, each.category): each.missing for each in holdings(found, self.PLAN)
        }
        assert missing == {
            ("de-DE", None): "30 images, 1 product",
            ("sv-SE", None): "100 images",
            ("de-DE", "milk"): "",
            ("de-DE", "juice"): "40 images",
            ("sv-SE", "milk"): "50 images",
            ("sv-SE", "juice"): "50 images",
        }

    def test_a_share_is_out_of_balance_when_its_interval_does_not_hold_the_planned_one(
        self,
    ) -> None:
        found = holdings(
            images(de_DE={"milk": 300, "juice": 100, "wine": 5}, sv_SE={"milk": 9, "juice": 8}),
            self.PLAN,
        )
        balance = {(each.locale, each.category): each.balance for each in found}
        assert balance["de-DE", "milk"] == "over-represented"
        assert balance["de-DE", "juice"] == "under-represented"
        assert balance["de-DE", "wine"] == "not in the plan"
        assert balance["sv-SE", "milk"] == balance["sv-SE", "juice"] == "as planned"
        assert all(each.low <= each.share <= each.high for each in found)

    def test_nothing_is_said_of_the_balance_within_a_locale_that_has_no_image(self) -> None:
        found = holdings(images(de_DE={"milk": 5}), self.PLAN)
        assert {each.balance for each in found if each.locale == "sv-SE" and each.category} == {""}

    def test_shares_of_a_locale_add_up(self) -> None:
        found = holdings(images(de_DE={"milk": 3, "juice": 4}, sv_SE={"milk": 2}), self.PLAN)
        for within in ([e for e in found if e.category is None], [e for e in found if e.category]):
            for locale in {each.locale for each in within if each.category}:
                shares = [each.share for each in within if each.locale == locale]
                assert sum(shares) == pytest.approx(1)

    def test_without_a_plan_there_is_nothing_to_fit(self) -> None:
        assert fits(images(de_DE={"milk": 3}), Plan()) == []
        [all_of_it] = holdings(images(de_DE={"milk": 3}), Plan())
        assert (all_of_it.planned, all_of_it.missing, all_of_it.balance) == (None, "", "")

    def test_the_distance_from_the_plan_is_the_total_variation(self) -> None:
        kept = fits(images(de_DE={"milk": 50, "juice": 50}, sv_SE={"milk": 100}), self.PLAN)
        distance = {fit.what: fit.distance for fit in kept}
        assert distance["locales"] == pytest.approx(0)
        assert distance["categories in de-DE"] == pytest.approx(0)
        assert distance["categories in sv-SE"] == pytest.approx(0.5)
        unplanned = fits(images(de_DE={"milk": 25, "juice": 25, "wine": 50}), self.PLAN)
        assert unplanned[-1].distance == pytest.approx(0.5)

    def test_locales_with_different_categories_are_associated(self) -> None:
        plan = Plan(category="shelf")
        [apart] = fits(images(de_DE={"milk": 40}, sv_SE={"juice": 40}), plan)
        [alike] = fits(images(de_DE={"milk": 40, "x": 40}, sv_SE={"milk": 20, "x": 20}), plan)
        assert (apart.distance, alike.distance) == (pytest.approx(1), pytest.approx(0))
        assert apart.p < 0.001 < 0.5 < alike.p

    def test_categories_need_a_column(self) -> None:
        with pytest.raises(ValidationError, match="which column of the manifests holds them"):
            Plan(categories={"milk": Wanted(images=1)})


values = st.lists(st.integers(0, 6).map(float), min_size=2, max_size=30)


@given(values, values)
def test_cliffs_delta_is_that_of_all_pairs(own: list[float], others: list[float]) -> None:
    delta, low, high = cliffs_delta(np.array(own), np.array(others))
    assert delta == pytest.approx(np.sign(np.subtract.outer(own, others)).mean())
    assert -1 <= low <= delta + 1e-9
    assert delta - 1e-9 <= high <= 1


def test_the_interval_holds_the_true_difference_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    # P(X > Y) of two normal variables one deviation apart.
    true = 2 * 0.7602499389065233 - 1
    intervals = [
        cliffs_delta(random.normal(1, 1, 40), random.normal(0, 1, 60))[1:] for _ in range(300)
    ]
    assert 0.92 <= np.mean([low <= true <= high for low, high in intervals]) <= 0.98


def test_locales_that_do_not_differ_are_not_said_to() -> None:
    random = np.random.default_rng(1)
    pictures = measured(**{tag: random.normal(size=200).tolist() for tag in ("a", "b", "c", "d")})
    assert {each.size for each in differences(pictures)} == {"negligible"}


def test_a_blurred_locale_differs_by_much_and_its_spread_lies_between_locales() -> None:
    random = np.random.default_rng(2)
    pictures = measured(
        de_DE=random.normal(1, 0.1, 100).tolist(), sv_SE=random.normal(0, 0.1, 100).tolist()
    )
    first = differences(pictures)[0]
    assert (first.measure, first.size, abs(first.delta)) == ("sharpness", "large", 1)
    [spread] = [each for each in spreads(pictures) if each.measure == "sharpness"]
    assert spread.epsilon2 > 0.7
    assert spread.p < 1e-6
    assert spread.quantiles["de-DE"] == sorted(spread.quantiles["de-DE"])


def test_a_locale_with_few_pictures_is_not_compared() -> None:
    few = [0.1] * (FEWEST - 1)
    assert differences(measured(de_DE=few, sv_SE=few * 5)) == []
    assert {locale for each in spreads(measured(de_DE=few, sv_SE=few * 5)) for locale in
            each.quantiles} == {"sv-SE"}  # fmt: skip


class TestBoards:
    def test_the_typical_are_in_the_middle_and_the_strangest_far_from_all(self) -> None:
        cloud = np.random.default_rng(0).normal(size=(50, 3))
        vectors = np.vstack([cloud - cloud.mean(axis=0), [[30, 0, 0], [-30, 0, 0], [0, 0, 0]]])
        assert typical(vectors, 3)[0] == 52
        assert sorted(strangest(vectors, 2)) == [50, 51]

    def test_twins_far_from_all_others_are_strange_as_well(self) -> None:
        cloud = np.random.default_rng(0).normal(size=(50, 3))
        vectors = np.vstack([cloud, [[30, 0, 0], [30, 0, 0]]])
        assert sorted(strangest(vectors, 2)) == [50, 51]

    def test_the_worst_are_worst_in_something(self) -> None:
        pictures = measured(de_DE=[0.1, 0.2, 0.3, 0.4])
        pictures["brightness"] = [0.5, 0.5, 0.5, 0.02]
        assert worst(ranks_of_quality(pictures), 2) == [
            ("000000", "sharpness"),
            ("000003", "brightness"),
        ]

    @pytest.mark.parametrize("n", [0, 1, 2])
    def test_hardly_any_pictures_make_hardly_any_board(self, n: int) -> None:
        vectors = as_vectors(measured(de_DE=[0.1, 0.2])[:n])
        assert len(typical(vectors, 8)) == n
        assert len(strangest(vectors, 8)) == (n if n > 1 else 0)


class TestSurvey:
    def surveyed(self) -> Survey:
        found = images(de_DE={"milk": 40}, sv_SE={"milk": 60})
        pictures = measured(de_DE=[0.1] * 40, sv_SE=[0.9] * 50)
        return survey(
            found,
            pictures,
            {f"{row:06}": "000000" for row in range(11)},
            Routed({"000000": "black"}, {"000050": "blurred", "000051": "blurred"}),
            Plan(locales={"sv-SE": Wanted(images=61), "de-DE": Wanted(images=10)}),
        )

    def test_every_image_is_accounted_for_in_its_locale(self) -> None:
        german, swedish = self.surveyed().pools
        assert (german.locale, german.images, german.unmeasured) == ("de-DE", 40, 0)
        assert (german.repeated, german.left_out, german.doubtful) == (10, 1, 0)
        assert (swedish.images, swedish.unmeasured, swedish.doubtful) == (60, 10, 2)

    def test_what_stands_out_is_said_in_sentences(self) -> None:
        findings = " ".join(self.surveyed().findings)
        assert "sv-SE still misses 1 image." in findings
        assert "de-DE has less sharpness than elsewhere: median 0.1, elsewhere 0.9." in findings
        assert "de-DE has 10 near-duplicates among 40 images." in findings
        assert "sv-SE has 0 images left out and 2 images asked about one by one." in findings

    def test_an_empty_catalogue_has_nothing_to_say(self) -> None:
        nothing = measured(de_DE=[0.1])[:0]
        assert survey(images(), nothing, {}, NOBODY, Plan()).findings == []
