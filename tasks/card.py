"""A model's card: what it was made of, what was measured of it, and where not to trust it.

It is Markdown; the HTML page is the same text, and needs nothing from any network. Whatever
somebody typed is escaped.
"""

import html
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version

from annotation import Expected
from catalog import measurements, models, removals
from catalog.schema import Measurement, Model, Promotion, TrainingSet
from clustering.comparison import Figure, Gain, Scores
from tasks.artifacts import facts, table
from tasks.measure import FIGURES, SPEED, Calibration, Figures
from tasks.plots import png
from tasks.promote import GAINS
from tasks.settings import Settings, load_settings

FEW_PRODUCTS = 5
DISHONEST = 0.1

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c1c1c; background: #fff }}
table {{ border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }}
td, th {{ border-bottom: 1px solid #ddd; padding: .3rem .8rem .3rem 0; text-align: left;
  vertical-align: top; font-variant-numeric: tabular-nums; overflow-wrap: break-word }}
thead:not(:has(th:not(:empty))) {{ display: none }}
img {{ max-width: 100% }} h2 {{ margin-top: 2rem }}
</style></head><body>
{body}
</body></html>
"""


def card(model_id: str) -> str:
    """The card of a model, in Markdown, as things stand now."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        model = models.named(transaction, model_id)
        training_set = models.training_set_of(transaction, model)
        measurement = measurements.newest(transaction, model.id)
        n_removed = sum(model.id in each.model_ids for each in removals.removals(transaction))
        champion = models.champion(transaction)
        history = [
            each
            for each in models.promotions(transaction)
            if model.id in (each.challenger_id, each.champion_id)
        ]
    figures = FIGURES.validate_python(measurement.figures) if measurement else None
    is_champion = champion is not None and champion.id == model.id
    return "\n\n".join(
        [
            f"# Model {model.id[:8]}",
            _made_of(settings, model, training_set, is_champion=is_champion),
            "## What became of it",
            _history(history),
            *(_measured(measurement, figures, history, model) if measurement and figures else ()),
            "## Where not to trust it",
            "\n".join(
                f"* {html.escape(each)}"
                for each in _limits(settings, training_set, figures, n_removed)
            ),
            "## Settings",
            facts({name: json.dumps(value) for name, value in model.config.items()}),
            "",
        ]
    )


def as_html(markdown: str, title: str) -> str:
    """The page of a card; HTML inside of `markdown` is shown as text."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return PAGE.format(title=html.escape(title), body=body)


def keep_card(model_id: str, number: int) -> str:
    """Keep the card as it stands after promotion `number` beside the model; where the page is."""
    settings = load_settings()
    text = card(model_id)
    key = f"models/{model_id}/cards/{number}"
    settings.blob_store.put(f"{key}.md", text.encode())
    settings.blob_store.put(f"{key}.html", as_html(text, f"Model {model_id[:8]}").encode())
    return f"{key}.html"


def _made_of(
    settings: Settings, model: Model, training_set: TrainingSet, *, is_champion: bool
) -> str:
    return facts(
        {
            "identity": model.id,
            "in use": "yes, it is champion" if is_champion else "no",
            "trained": f"{model.trained_at:%Y-%m-%d %H:%M} UTC",
            "training set version": training_set.version,
            "digest of the training set": training_set.digest,
            "images": training_set.n_images,
            "products": training_set.n_products,
            "images by locale": _listed(training_set.per_locale),
            "started from": model.config.get("start", "random weights"),
            "card written by": f"groundtruth {version('groundtruth')}",
            "licence": settings.dataset.licence
            or "not stated: it is that of the photos it was trained on",
            "files": model.location,
        }
    )


def _history(history: Sequence[Promotion]) -> str:
    return table(
        ("number", "when", "challenger", "champion until then", "outcome", "reason", "by"),
        (
            (
                each.number,
                f"{each.decided_at:%Y-%m-%d %H:%M}",
                each.challenger_id[:8],
                (each.champion_id or "none")[:8],
                models.outcome(each),
                each.reason,
                each.by or "the comparison",
            )
            for each in history
        ),
    )


def _measured(
    measurement: Measurement, figures: Figures, history: Sequence[Promotion], model: Model
) -> Iterator[str]:
    yield "## On the holdout"
    yield (
        f"{figures.overall.n_images} images of {figures.overall.n_products} products that no model"
        " was trained on; 95 % intervals, by resampling products."
    )
    yield figures_table({"this model": figures.overall})
    yield "## By locale"
    yield _by_locale(figures, gains_by_locale(history, model))
    yield "## How honest its probabilities are"
    for name, calibration in (
        ("Two images are of one product", figures.linkage),
        ("An image belongs to its cluster", figures.membership),
    ):
        if calibration is not None:
            yield f"{name}: expected calibration error {calibration.error:.3f}."
            yield _curve(name, calibration)
    speed = SPEED.validate_python(measurement.speed)
    effort = figures.effort
    yield "## What it costs"
    yield facts(
        {
            "questions to verify the holdout's clusters": effort.n_questions,
            "images that would then have a label": effort.n_verified,
            "human seconds for each of them": seconds_per_image(effort),
            "images embedded per second, where it was measured": speed.images_per_second,
            "seconds to cluster the holdout": speed.clustering_seconds,
        }
    )


def figures_table(of: Mapping[str, Scores]) -> str:
    """A table of scores with their intervals, one column for each model."""
    names = {
        "BCubed F": "bcubed_f",
        "BCubed precision": "bcubed_precision",
        "BCubed recall": "bcubed_recall",
        "pairwise F": "pairwise_f",
        "pairwise precision": "pairwise_precision",
        "pairwise recall": "pairwise_recall",
    }
    return table(
        ("figure", *of),
        (
            (shown, *(interval(getattr(scores, name)) for scores in of.values()))
            for shown, name in names.items()
        ),
    )


def interval(figure: Figure | Gain) -> str:
    """A figure with its interval."""
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def seconds_per_image(effort: Expected) -> float | str:
    """Human seconds per verified image."""
    return effort.seconds_per_image if effort.n_verified else "none would be verified"


def _by_locale(figures: Figures, gains: Mapping[str, Gain]) -> str:
    return table(
        ("locale", "products", "images", "BCubed F", "pairwise F", "gain over the champion then"),
        (
            (
                locale,
                scores.n_products,
                scores.n_images,
                interval(scores.bcubed_f),
                interval(scores.pairwise_f),
                interval(gains[locale]) if locale in gains else "",
            )
            for locale, scores in figures.per_locale.items()
        ),
    )


def gains_by_locale(history: Sequence[Promotion], model: Model) -> Mapping[str, Gain]:
    """What a model gained over its champion when it was last compared as a challenger."""
    compared = [each for each in history if each.challenger_id == model.id and each.figures]
    return GAINS.validate_python(compared[-1].figures).per_locale if compared else {}


def _limits(
    settings: Settings, training_set: TrainingSet, figures: Figures | None, n_removed: int
) -> Iterator[str]:
    yield (
        f"It learnt from {training_set.n_products} products; of other kinds of products and of"
        " other ways to photograph them nothing is known."
    )
    if n_removed:
        yield f"{n_removed} of the images that it learnt from were removed since: train another."
    for locale in settings.locales:
        if locale not in training_set.per_locale:
            yield f"{locale}: it was trained on no image of this locale."
    if figures is None:
        yield "It has not been measured."
        return
    f = figures.overall.bcubed_f
    yield (
        f"The holdout has {figures.overall.n_products} products, so its BCubed F is known only to"
        f" within {(f.high - f.low) / 2:.3f}."
    )
    for locale in settings.locales:
        scores = figures.per_locale.get(locale)
        if scores is None:
            yield f"{locale}: no product of this locale is in the holdout, so nothing was measured."
        elif scores.n_products < FEW_PRODUCTS:
            yield f"{locale}: measured on {scores.n_products} products only."
    for said, calibration in (
        ("that two images are of one product", figures.linkage),
        ("that an image belongs to its cluster", figures.membership),
    ):
        if calibration is not None and calibration.error > DISHONEST:
            yield f"Its probability {said} is off by {calibration.error:.2f} on average."


def _curve(name: str, calibration: Calibration) -> str:
    """What was promised and what came true, as a picture inside the page."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(3.6, 3.6), dpi=100, layout="constrained")
    axes = canvas.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    axes.plot(calibration.promised, calibration.came_true, color="C0", linewidth=1.5)
    largest = max(calibration.counts)
    areas = [15 + 285 * count / largest for count in calibration.counts]
    axes.scatter(calibration.promised, calibration.came_true, s=areas, alpha=0.55, linewidths=0)
    axes.set(xlabel="promised", ylabel="came true", xlim=(0, 1), ylim=(0, 1))
    return f"![{name}](data:image/png;base64,{b64encode(png(canvas)).decode()})"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
