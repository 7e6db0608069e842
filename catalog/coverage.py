"""Which products, and which of the manifests' own categories, the images of each locale show."""

import pandas as pd
from sqlalchemy import String, cast, func, null, select
from sqlalchemy.orm import Session

from catalog.labels import is_current
from catalog.removals import is_removed
from catalog.schema import Image, ImageSource, VerifiedLabel


def of_images(session: Session, category: str | None) -> pd.DataFrame:
    """One row for each image: locale, product_id, category; indexed by its id in its order.

    Removed images are left out. `product_id` is that of the label that stands, `category` the value
    of the manifests' further column of that name; either is None where there is none. Of an image
    that was listed with several categories, the first in alphabetical order counts.
    """
    said = cast(ImageSource.extra[category].as_string(), String) if category else null()
    categories = (
        select(ImageSource.image_id, func.min(said).label("category"))
        .group_by(ImageSource.image_id)
        .subquery()
    )
    products = (
        select(VerifiedLabel.image_id, func.min(VerifiedLabel.product_id).label("product_id"))
        .where(is_current(VerifiedLabel))
        .group_by(VerifiedLabel.image_id)
        .subquery()
    )
    rows = session.execute(
        select(Image.id, Image.locale, products.c.product_id, categories.c.category)
        .join(products, products.c.image_id == Image.id, isouter=True)
        .join(categories, categories.c.image_id == Image.id, isouter=True)
        .where(~is_removed(Image.id))
        .order_by(Image.id)
    )
    names = ["image_id", "locale", "product_id", "category"]
    return pd.DataFrame(rows.tuples().all(), columns=names, dtype=object).set_index("image_id")
