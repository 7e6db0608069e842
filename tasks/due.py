"""Whether there is enough that is new to train on: labels, or images unlike the old ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog import models, training_sets
from tasks.drift import LocaleDrift
from tasks.settings import load_settings

P_VALUE = 0.01


@dataclass(frozen=True)
class Due:
    """Whether training is worth while, and why: a sentence that stands by itself."""

    due: bool
    reason: str


@task(cache_policy=NO_CACHE)
def training_is_due(drifts: Sequence[LocaleDrift]) -> Due:
    """Weigh the labels that are new since the last model was trained, and the drift."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        newest = training_sets.newest(transaction)
        compared = [promotion.challenger_id for promotion in models.promotions(transaction)]
        trained = [each for each in models.models(transaction) if each.id in compared]
        last = trained[-1] if trained else None
        version = models.training_set_of(transaction, last) if last else None
    if newest is None:
        return Due(False, "there is no training set yet")
    if version is None:
        return Due(True, "there is no model yet")
    before, now = (
        {row.label_id for row in training_sets.rows(settings.blob_store, each)}
        for each in (version, newest)
    )
    n_new = len(now ^ before)
    share = n_new / len(before) if before else 1.0
    said = f"{n_new} labels are new or gone since the last model was trained on {len(before)}"
    if not n_new:
        return Due(False, said)
    if share >= settings.retrain.new_labels_share:
        return Due(True, f"{said}, {share:.0%}")
    drifting = [
        f"{each.locale} (AUC {each.found.auc:.2f}, p {each.found.p_value:.3f})"
        for each in drifts
        if each.found is not None
        and each.found.auc >= settings.retrain.drift_at_least
        and each.found.p_value <= P_VALUE
    ]
    if drifting:
        return Due(
            True, f"new images are unlike those learnt from in {', '.join(drifting)}; {said}"
        )
    told = any(each.found is not None for each in drifts)
    return Due(
        False,
        f"{said}, less than {settings.retrain.new_labels_share:.0%}, and"
        f" {'no drift' if told else 'too few new images are embedded to tell of drift'}",
    )
