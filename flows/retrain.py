"""Train a challenger on the newest training set, and promote it when it is better."""

from prefect import flow, get_run_logger

from tasks.artifacts import facts, publish, table
from tasks.retrain import Comparison, compare, newest_training_set, train


@flow(name="retrain")
def retrain() -> Comparison:
    """Train on the newest training set version and compare with the champion on the holdout."""
    training_set = newest_training_set()
    comparison = compare(train(training_set))
    challenger, champion = comparison.challenger, comparison.champion
    outcome = "promoted" if comparison.promotion.promoted else "not promoted"
    get_run_logger().info("%s: %s", outcome, comparison.promotion.reason)
    figures = [name for name, value in challenger.metrics.items() if isinstance(value, float)]
    publish(
        "model",
        "Champion and challenger",
        facts(
            {
                "challenger": challenger.id,
                "training set version": training_set.version,
                "training images": training_set.n_images,
                "training products": training_set.n_products,
                "outcome": outcome,
                "reason": comparison.promotion.reason,
            }
        ),
        table(
            ("on the holdout", "challenger", "champion until now"),
            (
                (name, challenger.metrics[name], champion.metrics[name] if champion else "none")
                for name in figures
            ),
        ),
        table(
            ("locale", "pairwise F", "BCubed F", "NMI"),
            (
                (locale, values["pairwise_f"], values["bcubed_f"], values["nmi"])
                for locale, values in challenger.metrics["per_locale"].items()
            ),
        ),
    )
    return comparison
