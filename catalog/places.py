"""Where images were found: what decides who may see them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import String, cast, null, select
from sqlalchemy.orm import Session

from catalog.database import chunks
from catalog.paging import PAGE
from catalog.schema import ImageSource


class Place(NamedTuple):
    """What a manifest or folder says of a place where an image was found."""

    source: str | None
    locale: str
    category: str | None


def places_of(
    session: Session, image_ids: Iterable[str], category: str | None
) -> dict[str, set[Place]]:
    """The places of each image; `category` names the manifests' column that holds a category."""
    said = cast(ImageSource.extra[category].as_string(), String) if category else null()
    found: dict[str, set[Place]] = defaultdict(set)
    for chunk in chunks(sorted(set(image_ids)), PAGE):
        query = select(ImageSource.image_id, ImageSource.source, ImageSource.locale, said)
        for image_id, *place in session.execute(query.where(ImageSource.image_id.in_(chunk))):
            found[image_id].add(Place(*place))
    return found
