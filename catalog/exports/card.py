"""The card of an export: its licence and provenance, for who is to train on it or to answer for it.

The front matter is what the Hugging Face Hub reads. It is YAML written as JSON, which YAML is.
"""

import html
import json
import re
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.exports.about import About
from catalog.exports.layouts import Layout
from catalog.exports.stamp import Stamp
from catalog.exports.tally import NOT_STATED, Tally
from catalog.removals import removals
from catalog.schema import GateRun, HoldoutImage, Origin

FEW_IMAGES = 100
HEAD = 20
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(session: Session, about: About, stamp: Stamp, tally: Tally, layout: Layout) -> str:
    """The card as Markdown; whatever somebody typed is escaped."""
    sections = [
        f"# {_text(about.name)}, version {stamp.version}",
        _text(about.description),
        _facts(about, stamp, tally),
        "## Licence",
        *_licence(about, tally),
        "## Images",
        _table(
            (
                *("locale", "images", "products", "labelled by a manifest"),
                *("labelled by a decision", "accepted without asking"),
            ),
            (
                (
                    locale,
                    count,
                    len(tally.products[locale]),
                    tally.origins[locale, Origin.MANIFEST],
                    tally.origins[locale, Origin.DECISION],
                    tally.origins[locale, Origin.ACCEPTED],
                )
                for locale, count in sorted(tally.images.items())
            ),
        ),
        _table(("source", "images"), tally.sources.most_common(HEAD)),
        "## How the labels came about",
        *_labels(session, tally),
        "## Limits",
        "\n".join(f"- {limit}" for limit in _limits(session, tally)),
        "## Images that were removed",
        *_removals(session, tally),
        "## Whether this is what was exported",
        "`groundtruth dataset verify FOLDER` reads every image and every label and compares them"
        f" with the digest of the version, `{stamp.digest}`: the SHA-256 of one line for each"
        " label, the JSON list of image, product, name, locale and label identity, in the order of"
        " the images. Each image is named by the SHA-256 of its bytes.",
    ]
    return (
        f"---\n{_front_matter(about, stamp, tally, layout)}---\n\n" + "\n\n".join(sections) + "\n"
    )


def _front_matter(about: About, stamp: Stamp, tally: Tally, layout: Layout) -> str:
    n_images = tally.images.total()
    values = {
        "pretty_name": about.name,
        "license": (about.licence or "unknown").lower(),
        "language": sorted({locale.split("-")[0] for locale in tally.images}),
        "size_categories": [next((name for most, name in SIZES if n_images < most), "n>1M")],
        "task_categories": ["image-classification"],
        "version": str(stamp.version),
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": layout.data}],
            }
        ],
    }
    return "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items()
    )


def _facts(about: About, stamp: Stamp, tally: Tally) -> str:
    left_out = f" ({stamp.n_removed} of them removed since)" if stamp.n_removed else ""
    return _table(
        ("", ""),
        (
            ("version", stamp.version),
            ("made from version", stamp.parent or "none, it is the first"),
            ("committed", f"{stamp.committed_at:%Y-%m-%d %H:%M} UTC"),
            ("images", f"{stamp.n_images}{left_out}"),
            ("products", stamp.n_products),
            ("bytes of images", f"{tally.n_bytes:,}"),
            ("creator", about.creator or NOT_STATED),
            ("address", about.url or NOT_STATED),
            ("to be cited as", about.citation or NOT_STATED),
            ("digest", stamp.digest),
        ),
    )


def _licence(about: About, tally: Tally) -> Iterable[str]:
    if about.licence is None:
        yield (
            "**No licence is stated for the whole.** Nobody may use it outside of where it was made"
            " until `licence` under `[dataset]` in groundtruth.toml says on what terms."
        )
    else:
        yield f"The whole: {_text(about.licence)} (SPDX)."
    if set(tally.licences) - {NOT_STATED}:
        yield "What the manifests say of the images, which goes before the licence of the whole:"
        yield _table(("licence of the image", "images"), tally.licences.most_common())


def _labels(session: Session, tally: Tally) -> Iterable[str]:
    manifest, unasked = (
        sum(n for (_, origin), n in tally.origins.items() if origin == wanted)
        for wanted in (Origin.MANIFEST, Origin.ACCEPTED)
    )
    n_runs = session.scalar(select(func.count()).select_from(GateRun).where(~GateRun.held))
    if manifest:
        yield f"{manifest} labels come from the customer's manifests, as they were given."
    if tally.n_decided:
        yield (
            f"{tally.n_decided} labels follow from decisions of {len(tally.annotators)} annotators"
            " about contact sheets of candidate clusters. Their mean agreement is"
            f" {tally.agreement / tally.n_decided:.1%}; `agreement` and `n_annotators` stand with"
            " each label."
        )
    if unasked:
        yield (
            f"{unasked} labels were accepted without asking anybody, from scores whose precision"
            " random audits by people have shown; they have no annotators and no agreement."
        )
    yield (
        f"Every label has passed a gate of rules, in {n_runs or 0} batches so far. `label_id` leads"
        " to the answers, question, cluster and model behind a label: `groundtruth dataset lineage"
        " IMAGE`. A label that is found wrong is superseded in a later version, never edited."
    )


def _limits(session: Session, tally: Tally) -> Iterable[str]:
    n_images = tally.images.total()
    few = sorted(locale for locale, count in tally.images.items() if count < FEW_IMAGES)
    single = sum(count == 1 for count in tally.of_product.values())
    frozen = session.execute(
        select(func.count(), func.count(HoldoutImage.product_id.distinct()))
    ).one()
    yield (
        f"{frozen[0]} images of {frozen[1]} products are kept apart to compare models on; no"
        " version holds them or any other image of these products."
    )
    if few:
        yield f"Fewer than {FEW_IMAGES} images: {', '.join(map(_text, few))}."
    if single:
        yield f"{single} of {len(tally.of_product)} products have one image only."
    if tally.of_product:
        largest = max(tally.of_product.values())
        yield f"The largest product has {largest} images, {largest / n_images:.1%} of all."
    if n_images > tally.n_decided:
        yield (
            f"{(n_images - tally.n_decided) / n_images:.0%} of the labels are a manifest's, which"
            " no annotator was asked about."
        )
    yield "The images show products as customers photographed them, not a sample of all products."


def _removals(session: Session, tally: Tally) -> Iterable[str]:
    if not tally.removed:
        yield "None."
        return
    yield (
        "They belong to the version, whose digest covers them, and are left out here:"
        " `removed.jsonl` has their labels, and nothing has their bytes."
    )
    yield _table(
        ("image", "removed on"),
        (
            (each.image_id, f"{each.requested_at:%Y-%m-%d}")
            for each in removals(session, tally.removed)
        ),
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell if cell == "---" else _text(cell) for cell in line) + " |"
        for line in lines
    )


def _text(value: object) -> str:
    """`value` as it reads, on one line, whatever Markdown or HTML is in it."""
    line = html.escape(" ".join(str(value).split()), quote=False)
    return re.sub(r"([\\`*_{}\[\]#|~!])", r"\\\1", line)
