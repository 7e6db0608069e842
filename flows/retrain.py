"""Train a challenger on the newest training set, and promote it when it is shown to be better."""

from prefect import flow, get_run_logger

from tasks.alone import alone
from tasks.artifacts import facts, publish, table
from tasks.card import figures_table, interval, keep_card, seconds_per_image
from tasks.events import Happened, pass_on
from tasks.measure import FIGURES, SPEED, Calibration
from tasks.models import champion_id
from tasks.promote import Comparison, compare
from tasks.retrain import newest_training_set, train
from tasks.summary import Figures, summarised
from tasks.trying import HOUR

# What no two runs do at once: they would share the folder in which a training is laid down.
RETRAIN = "retrain"


def figures(comparison: Comparison) -> Figures:
    return {
        "challenger": comparison.challenger.id,
        "promoted": comparison.promotion.promoted,
        "outcome": comparison.outcome,
        "reason": comparison.promotion.reason,
    }


@summarised(figures)
@flow(name="retrain", timeout_seconds=48 * HOUR)
def retrain() -> Comparison:
    """Train on the newest training set version and compare with the champion on the holdout."""
    with alone(RETRAIN):
        training_set = newest_training_set()
        before = champion_id()
        comparison = compare(train(training_set))
    card = keep_card(comparison.challenger.id, comparison.promotion.number)
    get_run_logger().info("%s: %s", comparison.outcome, comparison.promotion.reason)
    measured = {"challenger": comparison.measured}
    if comparison.champion_measured is not None:
        measured["champion until now"] = comparison.champion_measured
    measures = {name: FIGURES.validate_python(each.figures) for name, each in measured.items()}
    speeds = {name: SPEED.validate_python(each.speed) for name, each in measured.items()}
    gained = comparison.gains.per_locale if comparison.gains is not None else {}
    publish(
        "model",
        "Champion and challenger",
        facts(
            {
                "challenger": comparison.challenger.id,
                "training set version": training_set.version,
                "training images": training_set.n_images,
                "training products": training_set.n_products,
                "outcome": comparison.outcome,
                "reason": comparison.promotion.reason,
                "card": card,
            }
        ),
        figures_table({name: each.overall for name, each in measures.items()}),
        table(
            ("also measured", *measures),
            (
                ("calibration error of links", *(_error(f.linkage) for f in measures.values())),
                ("calibration error of places", *(_error(f.membership) for f in measures.values())),
                (
                    "human seconds per verified image",
                    *(seconds_per_image(f.effort) for f in measures.values()),
                ),
                ("images embedded per second", *(s.images_per_second for s in speeds.values())),
                ("seconds to cluster", *(s.clustering_seconds for s in speeds.values())),
            ),
        ),
        table(
            ("locale", "products", *(f"BCubed F, {name}" for name in measures), "gain"),
            (
                (
                    locale,
                    scores.n_products,
                    *(interval(f.per_locale[locale].bcubed_f) for f in measures.values()),
                    interval(gained[locale]) if locale in gained else "",
                )
                for locale, scores in measures["challenger"].per_locale.items()
            ),
        ),
    )
    if comparison.promotion.promoted and comparison.challenger.id != before:
        pass_on(Happened.PROMOTED, {"model": comparison.challenger.id})
    return comparison


def _error(calibration: Calibration | None) -> float | str:
    return calibration.error if calibration is not None else "none to tell by"
