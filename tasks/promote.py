"""Tasks that say who is champion: the better model, or the one that a person went back to."""

from dataclasses import asdict, dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import State
from pydantic import TypeAdapter

from catalog import measurements, models
from catalog.models import ChampionChanged, NoSuchModel
from catalog.schema import Measurement, Model, Promotion
from clustering.comparison import Figure, Gains
from clustering.comparison import compare as measure_gains
from tasks.measure import FIGURES, Figures, compared_on, measurement
from tasks.settings import Retrain, Settings, load_settings

GAINS = TypeAdapter(Gains)


@dataclass(frozen=True)
class Comparison:
    """A challenger beside the champion of its day, on the same images, and who went on."""

    challenger: Model
    champion: Model | None
    promotion: Promotion
    measured: Measurement
    champion_measured: Measurement | None

    @property
    def outcome(self) -> str:
        """What became of the challenger, in a few words."""
        if self.promotion.by is not None and self.promotion.champion_id == self.challenger.id:
            return f"not promoted again: {self.promotion.by} went back from it"
        return models.outcome(self.promotion)

    @property
    def gains(self) -> Gains | None:
        """What the challenger gains; None where there was nobody to compare it with."""
        figures = self.promotion.figures
        return GAINS.validate_python(figures) if figures else None


def _champion_changed(_task: Any, _run: Any, state: State[Any]) -> bool:
    return isinstance(state.result(raise_on_failure=False), ChampionChanged)


@task(cache_policy=NO_CACHE, retries=2, retry_condition_fn=_champion_changed)
def compare(challenger: Model) -> Comparison:
    """Promote `challenger` when it is shown to be better; the reason is kept either way."""
    settings = load_settings()
    truth, state = compared_on(settings)
    ours = measurement(settings, challenger, truth, state)
    with settings.catalog.read() as transaction:
        champion = models.champion(transaction)
        past = models.promotions(transaction)
        known = models.settled(past, challenger.id, champion.id if champion else None, state)
        if known is not None and known.challenger_id == challenger.id:
            then = known.champion_id
            champion = models.model(transaction, then) if then is not None else None
    theirs = measurement(settings, champion, truth, state) if champion is not None else None
    if known is not None:
        return Comparison(challenger, champion, known, ours, theirs)
    decided = weigh_up(settings, ours, theirs)
    with settings.catalog.begin() as transaction:
        promotion = models.record_promotion(transaction, decided)
    return Comparison(challenger, champion, promotion, ours, theirs)


def weigh_up(settings: Settings, ours: Measurement, theirs: Measurement | None) -> Promotion:
    """What follows from two measurements on the same holdout; it has no number yet."""
    figures = FIGURES.validate_python(ours.figures)
    gains = None
    if theirs is None:
        promoted, reason = True, f"the first model: BCubed F {_figure(figures.overall.bcubed_f)}"
    else:
        before = FIGURES.validate_python(theirs.figures)
        here, there = (
            measurements.read(settings.blob_store, measured) for measured in (ours, theirs)
        )
        gains = measure_gains(
            here.product_ids,
            here.locales,
            there.clusters,
            here.clusters,
            smallest_gain=settings.retrain.smallest_gain,
            margin=settings.retrain.locale_margin,
            seed=settings.retrain.seed,
        )
        promoted, reason = verdict(gains, figures, before, settings.retrain)
    return Promotion(
        number=0,
        challenger_id=ours.model_id,
        champion_id=theirs.model_id if theirs is not None else None,
        promoted=promoted,
        reason=reason,
        holdout=ours.holdout,
        figures=asdict(gains) if gains is not None else {},
    )


def verdict(gains: Gains, ours: Figures, theirs: Figures, policy: Retrain) -> tuple[bool, str]:
    """Whether the challenger is promoted, and why: a sentence that stands by itself.

    It is, when it is better with the probability that the policy asks for, and in no locale more
    likely than not worse by more than the margin.
    """
    gain = gains.bcubed_f
    compared = (
        f"BCubed F {ours.overall.bcubed_f.value:.3f} on the holdout against the champion's"
        f" {theirs.overall.bcubed_f.value:.3f}, a difference of {gain.value:+.3f}"
        f" ({gain.low:+.3f} to {gain.high:+.3f}) over {gain.n_products} products"
    )
    if gain.better < policy.sure:
        if 1 - gain.better >= policy.sure and gain.value < 0:
            return False, f"worse: {compared}"
        needed = gain.products_needed(policy.sure)
        return False, f"not shown to be better: {compared}; {gain.better:.0%} sure, and" + (
            f" {policy.sure:.0%} is asked for: about {needed} products would show such a gain"
            if needed is not None
            else f" {policy.sure:.0%} is asked for"
        )
    worse = {locale: local for locale, local in gains.per_locale.items() if local.worse > 0.5}
    if worse:
        where = "; ".join(
            f"{locale} {local.value:+.3f} over {local.n_products} products"
            for locale, local in worse.items()
        )
        return False, (
            f"better overall, but worse by more than {policy.locale_margin:.3f} in {where}:"
            f" {compared}"
        )
    return True, f"better, {gain.better:.0%} sure: {compared}"


@task(cache_policy=NO_CACHE)
def make_champion_again(model: str | None, by: str, reason: str) -> Promotion:
    """Make an earlier champion champion again, by default the one before.

    Raises `NoSuchModel` where there is none, or `model` is champion or never was.
    """
    with load_settings().catalog.begin() as transaction:
        champion = models.champion(transaction)
        if champion is None:
            raise NoSuchModel("there is no champion yet, so there is nothing to go back from")
        target = (
            models.before(transaction, champion.id)
            if model is None
            else models.named(transaction, model)
        )
        if target.id == champion.id:
            raise NoSuchModel(f"model {target.id[:8]} is champion already")
        if not models.was_champion(transaction, target.id):
            raise NoSuchModel(
                f"model {target.id[:8]} was never champion, and only the holdout makes a model"
                " champion: `groundtruth models list` shows which ones were"
            )
        return models.record_promotion(
            transaction,
            Promotion(
                number=0,
                challenger_id=target.id,
                champion_id=champion.id,
                promoted=True,
                reason=reason,
                by=by,
            ),
        )


def _figure(figure: Figure) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f}) on the holdout"
