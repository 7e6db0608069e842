"""Images in the catalogue: which there are, and which still wait for a label."""

from collections.abc import Iterable, Sequence

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from catalog.database import add_new, chunks
from catalog.decisions import current_decisions, undecided_questions
from catalog.identity import digest
from catalog.labels import is_current
from catalog.removals import is_removed
from catalog.schema import DecisionKind, Image, ImageSource, SetAside, VerifiedLabel


class NoSuchImage(LookupError):
    """No single image is meant."""


def image_key(image_id: str) -> str:
    """Where the original bytes of an image are kept in the blob store."""
    return f"images/{image_id[:2]}/{image_id}"


def preview_key(image_id: str) -> str:
    """Where its preview is kept: what the encoder and the annotators see."""
    return f"previews/{image_id[:2]}/{image_id}.jpg"


def record(session: Session, images: Sequence[Image], sources: Sequence[ImageSource]) -> int:
    """Add images and the places they were found at; how many images are new."""
    n_new = add_new(session, images)
    add_new(session, sources)
    return n_new


def source_id(image_id: str, uri: str) -> str:
    return digest("source", image_id, uri)


def set_aside(session: Session, reasons: Iterable[tuple[str, str]]) -> int:
    """Record (uri, reason) of what could not be ingested; how many are new."""
    rows = [
        SetAside(id=digest("set aside", uri, reason), uri=uri, reason=reason)
        for uri, reason in reasons
    ]
    return add_new(session, rows)


def locales(session: Session) -> list[str]:
    """The locales that have images, sorted."""
    return list(session.scalars(select(Image.locale).distinct().order_by(Image.locale)))


def counts(session: Session) -> dict[str, int]:
    """Images per locale."""
    rows = session.execute(select(Image.locale, func.count()).group_by(Image.locale))
    return dict(rows.tuples().all())


def waiting(session: Session, locale: str) -> list[str]:
    """Identities of the images of `locale` that nothing is known of and nobody is asked about.

    They have no verified label, are not decided unusable, lie on no open question, and were not
    removed. Sorted.
    """
    labelled = exists().where(VerifiedLabel.image_id == Image.id).where(is_current(VerifiedLabel))
    removed = is_removed(Image.id)
    of_locale = select(Image.id).where(Image.locale == locale)
    ids = set(session.scalars(of_locale.where(~labelled, ~removed)))
    for question in undecided_questions(session, locale):
        ids.difference_update(question.image_ids)
    for decision in current_decisions(session, kind=DecisionKind.UNUSABLE):
        ids.difference_update(decision.removed_ids)
    return sorted(ids)


def locales_of(session: Session, image_ids: Sequence[str]) -> dict[str, str]:
    """The locale of each of `image_ids`; unknown ones are left out."""
    found: dict[str, str] = {}
    for chunk in chunks(image_ids):
        rows = session.execute(select(Image.id, Image.locale).where(Image.id.in_(chunk)))
        found.update((image_id, locale) for image_id, locale in rows)
    return found


def identify(session: Session, name: str) -> str:
    """The image that `name` means: its identity, the beginning of one, or where it was found.

    Raises `NoSuchImage` where that is none, or several.
    """
    beginning = Image.id.startswith(name.lower(), autoescape=True)
    found_there = exists().where(ImageSource.image_id == Image.id, ImageSource.uri == name)
    query = select(Image.id).where(or_(beginning, found_there)).order_by(Image.id).limit(5)
    found = list(session.scalars(query))
    if len(found) != 1:
        seen = f" ({', '.join(image_id[:16] for image_id in found)} ...)" if found else ""
        raise NoSuchImage(
            f"{name!r} means {len(found) or 'no'} images{seen}: give an image's identity (the"
            " SHA-256 of its bytes), enough of its beginning to name one, or the address where it"
            " was found, as the manifest or the folder gave it"
        )
    return found[0]
