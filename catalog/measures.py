"""What is measured of the images: recorded once for each, read by locale or by identity."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from catalog.database import add_new, chunks
from catalog.removals import is_removed
from catalog.schema import Image, ImageMeasures

NUMBERS = (
    ImageMeasures.sharpness,
    ImageMeasures.brightness,
    ImageMeasures.contrast,
    ImageMeasures.clipped,
    ImageMeasures.border,
    ImageMeasures.flat,
    ImageMeasures.screenshot,
    ImageMeasures.jpeg_quality,
)


def record(session: Session, rows: Sequence[ImageMeasures]) -> int:
    """Record measures of images in the catalogue; how many had none."""
    return add_new(session, rows)


def unmeasured(session: Session) -> list[str]:
    """Identities of the images that were ingested before images were measured, sorted."""
    measured = exists().where(ImageMeasures.image_id == Image.id)
    query = select(Image.id).where(~measured, ~is_removed(Image.id))
    return list(session.scalars(query.order_by(Image.id)))


def forget(session: Session, image_ids: Sequence[str]) -> None:
    """Delete what was measured of images that must go."""
    for chunk in chunks(image_ids):
        session.execute(delete(ImageMeasures).where(ImageMeasures.image_id.in_(chunk)))


def of_locale(session: Session, locale: str) -> pd.DataFrame:
    """The measures of the images of `locale`, indexed by image id in its order.

    `NUMBERS` as floats, and `short_side` in pixels. What does not apply is NaN; images without
    measures are left out.
    """
    smaller = func.min if session.get_bind().dialect.name == "sqlite" else func.least
    rows = session.execute(
        select(Image.id, smaller(Image.width, Image.height), *NUMBERS)
        .join(ImageMeasures, ImageMeasures.image_id == Image.id)
        .where(Image.locale == locale)
        .order_by(Image.id)
    )
    names = ["image_id", "short_side", *(column.key for column in NUMBERS)]
    return pd.DataFrame(rows.tuples().all(), columns=names).set_index("image_id").astype(float)


def hashes(session: Session, image_ids: Sequence[str]) -> dict[str, str]:
    """The perceptual hash of each of `image_ids`; those without measures are left out."""
    found: dict[str, str] = {}
    for chunk in chunks(image_ids):
        query = select(ImageMeasures.image_id, ImageMeasures.perceptual_hash)
        rows = session.execute(query.where(ImageMeasures.image_id.in_(chunk)))
        found.update(rows.tuples().all())
    return found
