"""Images in the catalogue: which there are, and which still wait for a label."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from catalog.database import add_new, chunks
from catalog.decisions import decision_stands, is_accepted, is_open, is_withdrawn
from catalog.identity import digest
from catalog.labels import is_current
from catalog.paging import PAGE, ranges
from catalog.removals import is_removed
from catalog.schema import (
    Decision,
    DecisionKind,
    Image,
    ImageSource,
    Question,
    QuestionImage,
    SetAside,
    VerifiedLabel,
)


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
    found: list[str] = []
    # Each is looked up in the index; to read them off all images would take seconds.
    following = select(func.min(Image.locale))
    while locale := session.scalar(
        following.where(Image.locale > found[-1]) if found else following
    ):
        found.append(locale)
    return found


def counts(session: Session) -> dict[str, int]:
    """Images per locale."""
    rows = session.execute(select(Image.locale, func.count()).group_by(Image.locale))
    return dict(rows.tuples().all())


def waiting(session: Session, locale: str) -> list[str]:
    """Identities of the images of `locale` that nothing is known of and nobody is asked about.

    They have no verified label, are neither decided unusable nor accepted, lie on no open question,
    and were not removed. Sorted.
    """
    return [image_id for page in _waiting_pages(session, locale) for image_id in page]


def _waiting_pages(session: Session, locale: str) -> Iterator[Sequence[str]]:
    for ids in ranges(session, Image.id, Image.locale == locale):
        labelled = exists().where(
            VerifiedLabel.image_id == Image.id,
            ids.holds(VerifiedLabel.image_id),
            is_current(VerifiedLabel),
        )
        asked_about = exists().where(
            QuestionImage.image_id == Image.id,
            ids.holds(QuestionImage.image_id),
            Question.id == QuestionImage.question_id,
            is_open(Question),
            ~is_withdrawn(),
        )
        unusable_or_accepted = exists().where(
            QuestionImage.image_id == Image.id,
            ids.holds(QuestionImage.image_id),
            Decision.question_id == QuestionImage.question_id,
            or_(Decision.kind == DecisionKind.UNUSABLE, is_accepted()),
            decision_stands(),
        )
        query = select(Image.id).where(
            Image.locale == locale,
            ids.holds(Image.id),
            ~labelled,
            ~asked_about,
            ~unusable_or_accepted,
            ~is_removed(Image.id),
        )
        yield session.scalars(query.order_by(Image.id)).all()


def locales_of(session: Session, image_ids: Sequence[str]) -> dict[str, str]:
    """The locale of each of `image_ids`; unknown ones are left out."""
    found: dict[str, str] = {}
    for chunk in chunks(image_ids, PAGE):
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
