"""A challenger replaces the champion only when it is shown to be better, and the reason is kept."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from annotation import Expected
from catalog import measurements, models, removals
from catalog.measurements import Placements
from catalog.models import NoSuchModel
from catalog.schema import Measurement, Model, Promotion, TrainingSet
from clustering.comparison import scores
from tasks.card import as_html, card
from tasks.measure import Figures, Speed
from tasks.promote import make_champion_again, weigh_up
from tasks.settings import Settings, load_settings
from tests.browser import blank_page
from tests.catalog.rows import image

N_IMAGES = 10
STATE = "the holdout of today"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A catalogue and a blob store of our own, without any server."""
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path))
    load_settings.cache_clear()
    opened = load_settings()
    training_set = TrainingSet(
        version=1,
        digest="0" * 64,
        parent=None,
        location="training-sets/0",
        n_images=100,
        n_products=10,
        per_locale={"de-DE": 100},
    )
    with opened.catalog.begin() as transaction:
        transaction.add(training_set)
    yield opened
    load_settings.cache_clear()


def clustered(settings: Settings, name: str, wrong: Mapping[str, float]) -> Measurement:
    """A model that scatters so many of each locale's images, of 20 products each."""
    with settings.catalog.begin() as transaction:
        models.record_model(
            transaction,
            Model(id=name, training_set=1, location=name, config={}, metrics={"bcubed_f": 0.0}),
        )
    random = np.random.default_rng(0)
    products, locales, clusters = [], [], []
    for number, (locale, share) in enumerate(wrong.items()):
        shown = np.repeat(np.arange(20), N_IMAGES) + 100 * number
        scattered = random.random(len(shown)) < share
        products += [f"product {each}" for each in shown]
        locales += [locale] * len(shown)
        clusters += np.where(
            scattered, 10_000 * (number + 1) + np.arange(len(shown)), shown
        ).tolist()
    placed = Placements(
        [f"{row:05}" for row in range(len(products))],
        products,
        locales,
        clusters,
        [0.9] * len(products),
    )
    overall, per_locale = scores(products, locales, clusters)
    figures = Figures(overall, per_locale, 0.5, None, None, Expected(1, 2, 3.0))
    found = Measurement(
        model_id=name,
        holdout=STATE,
        location=measurements.write(settings.blob_store, placed),
        figures=asdict(figures),
        speed=asdict(Speed(1.0, 1.0)),
    )
    with settings.catalog.begin() as transaction:
        measurements.record(transaction, found)
    return found


def decide(
    settings: Settings, challenger: Measurement, champion: Measurement | None = None
) -> Promotion:
    with settings.catalog.begin() as transaction:
        return models.record_promotion(transaction, weigh_up(settings, challenger, champion))


def champion(settings: Settings) -> str | None:
    with settings.catalog.begin() as transaction:
        found = models.champion(transaction)
    return found.id if found else None


def test_the_first_model_becomes_the_champion(settings: Settings) -> None:
    first = decide(settings, clustered(settings, "first", {"de-DE": 0.5}))
    assert first.promoted
    assert first.reason.startswith("the first model: BCubed F 0.")
    assert champion(settings) == "first"


def test_a_challenger_that_is_clearly_better_is_promoted(settings: Settings) -> None:
    before = clustered(settings, "first", {"de-DE": 0.5})
    decide(settings, before)
    decided = decide(settings, clustered(settings, "second", {"de-DE": 0.2}), before)
    assert decided.promoted
    assert decided.reason.startswith("better, 100% sure: BCubed F")
    assert champion(settings) == "second"


def test_a_worse_challenger_is_refused_and_the_reason_says_so(settings: Settings) -> None:
    before = clustered(settings, "first", {"de-DE": 0.2})
    decide(settings, before)
    decided = decide(settings, clustered(settings, "second", {"de-DE": 0.5}), before)
    assert not decided.promoted
    assert decided.reason.startswith("worse: BCubed F")
    assert champion(settings) == "first"


def test_the_same_clusters_again_are_no_gain(settings: Settings) -> None:
    before = clustered(settings, "first", {"de-DE": 0.3})
    decide(settings, before)
    decided = decide(settings, clustered(settings, "second", {"de-DE": 0.3}), before)
    assert not decided.promoted
    assert decided.reason.startswith("not shown to be better")


def test_a_gain_within_the_noise_says_how_many_products_would_show_it(settings: Settings) -> None:
    before = clustered(settings, "first", {"de-DE": 0.300})
    decide(settings, before)
    decided = decide(settings, clustered(settings, "second", {"de-DE": 0.297}), before)
    assert decided.figures["bcubed_f"]["value"] > 0
    assert not decided.promoted
    assert "products would show such a gain" in decided.reason


def test_a_gain_smaller_than_is_asked_for_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.retrain, "smallest_gain", 0.5)
    before = clustered(settings, "first", {"de-DE": 0.5})
    decide(settings, before)
    assert not decide(settings, clustered(settings, "second", {"de-DE": 0.3}), before).promoted


def test_better_overall_but_worse_in_one_locale_is_refused_and_names_it(settings: Settings) -> None:
    before = clustered(settings, "first", {"ar-EG": 0.1, "de-DE": 0.8})
    decide(settings, before)
    after = clustered(settings, "second", {"ar-EG": 0.3, "de-DE": 0.1})
    decided = decide(settings, after, before)
    assert decided.figures["bcubed_f"]["better"] == 1.0
    assert not decided.promoted
    assert "worse by more than 0.050 in ar-EG" in decided.reason


def test_a_loss_in_one_locale_within_the_margin_is_allowed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.retrain, "locale_margin", 0.4)
    before = clustered(settings, "first", {"ar-EG": 0.1, "de-DE": 0.8})
    decide(settings, before)
    after = clustered(settings, "second", {"ar-EG": 0.3, "de-DE": 0.1})
    assert decide(settings, after, before).promoted


def test_going_back_makes_the_one_before_champion_and_keeps_who_and_why(settings: Settings) -> None:
    before = clustered(settings, "first", {"de-DE": 0.5})
    decide(settings, before)
    decide(settings, clustered(settings, "second", {"de-DE": 0.1}), before)
    row = make_champion_again.fn(None, "ann", "it mistakes the new packaging")
    assert (row.challenger_id, row.champion_id, row.by) == ("first", "second", "ann")
    assert champion(settings) == "first"


def test_what_a_person_went_back_from_is_not_promoted_by_the_same_comparison(
    settings: Settings,
) -> None:
    before = clustered(settings, "first", {"de-DE": 0.5})
    decide(settings, before)
    decide(settings, clustered(settings, "second", {"de-DE": 0.1}), before)
    back = make_champion_again.fn(None, "ann", "too slow")
    with settings.catalog.begin() as transaction:
        past = models.promotions(transaction)
    for state in (STATE, "a holdout that has grown"):
        found = models.settled(past, "second", "first", state)
        assert found is not None
        assert found.number == back.number


@pytest.mark.parametrize(("model", "why"), [("second", "champion already"), ("third", "never")])
def test_only_an_earlier_champion_can_be_gone_back_to(
    settings: Settings, model: str, why: str
) -> None:
    before = clustered(settings, "first", {"de-DE": 0.5})
    decide(settings, before)
    better = clustered(settings, "second", {"de-DE": 0.1})
    decide(settings, better, before)
    decide(settings, clustered(settings, "third", {"de-DE": 0.7}), better)
    with pytest.raises(NoSuchModel, match=why):
        make_champion_again.fn(model, "ann", "to see")


def test_the_card_says_where_the_model_should_not_be_trusted(settings: Settings) -> None:
    decide(settings, clustered(settings, "first", {"de-DE": 0.5}))
    text = card("first")
    assert "sv-SE: it was trained on no image of this locale." in text
    assert "sv-SE: no product of this locale is in the holdout" in text
    assert "de-DE: it was trained on no image" not in text
    assert "the first model: BCubed F" in text


def test_the_card_counts_the_images_learnt_from_that_had_to_go(settings: Settings) -> None:
    decide(settings, clustered(settings, "first", {"de-DE": 0.5}))
    gone = image("a face")
    with settings.catalog.begin() as transaction:
        transaction.add(gone)
        removals.record(transaction, {gone.id: [1]}, by="ann", reason="a face")
    assert "1 of the images that it learnt from were removed since" in card("first")


def test_each_column_of_the_page_stands_under_its_name(settings: Settings) -> None:
    decide(settings, clustered(settings, "first", {"de-DE": 0.5}))
    with blank_page() as page:
        page.set_content(as_html(card("first"), "Model first"))
        history = page.get_by_role("table").filter(has_text="champion until then")
        names, cells = (
            [box["x"] for each in row.all() if (box := each.bounding_box()) is not None]
            for row in (history.locator("thead th"), history.locator("tbody td"))
        )
    assert len(names) == 7
    assert names == cells


def test_what_somebody_typed_is_text_on_the_page(settings: Settings) -> None:
    before = clustered(settings, "first", {"de-DE": 0.5})
    decide(settings, before)
    decide(settings, clustered(settings, "second", {"de-DE": 0.1}), before)
    typed = "<script>alert(1)</script> | [x](javascript:alert(1)) ![x](https://elsewhere/x.png)"
    make_champion_again.fn(None, "ann", typed)
    page = as_html(card("first"), "<b>first</b>")
    assert "<script" not in page
    assert "<b>first" not in page
    assert "href=" not in page
    assert 'src="https' not in page
