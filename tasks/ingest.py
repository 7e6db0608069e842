"""Tasks that bring pictures into the catalogue."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import name_key
from catalog import images, labels, measures, removals
from catalog.appearance import measure
from catalog.manifest import Listing, inbox_listings, listings
from catalog.pictures import Picture, UnusablePicture, read_picture
from catalog.reach import OutOfReach, TooLarge
from catalog.schema import Image, ImageMeasures, ImageSource
from tasks.settings import Settings, load_settings
from tasks.trying import repeatable

BATCH = 128


@dataclass(frozen=True)
class Ingested:
    """What became of a batch of listings."""

    n_listed: int = 0
    n_new: int = 0
    n_labelled: int = 0
    set_aside: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __add__(self, other: "Ingested") -> "Ingested":
        return Ingested(
            self.n_listed + other.n_listed,
            self.n_new + other.n_new,
            self.n_labelled + other.n_labelled,
            self.set_aside + other.set_aside,
        )

    @property
    def n_known(self) -> int:
        return self.n_listed - self.n_new - len(self.set_aside)


def listed(settings: Settings, source: str | None, locale: str | None) -> list[Listing]:
    """The pictures of `source`, or of the inbox, each with what is wrong with its listing."""
    if source is None:
        return inbox_listings(str(settings.data / "inbox"), settings.locales)
    return listings(source, locale, settings.locales)


@task(cache_policy=NO_CACHE)
def list_pictures(source: str | None, locale: str | None) -> list[list[Listing]]:
    """The pictures of a folder, a manifest or, where `source` is None, the inbox; in batches.

    Each batch is of one locale, and the batches of a locale follow one another.
    """
    by_locale: dict[str | None, list[Listing]] = {}
    for each in listed(load_settings(), source, locale):
        by_locale.setdefault(_kept_under(each), []).append(each)
    return [
        found[start : start + BATCH]
        for found in by_locale.values()
        for start in range(0, len(found), BATCH)
    ]


def locale_of(batch: Sequence[Listing]) -> str | None:
    """The locale of a batch; None where no picture of it is kept."""
    return _kept_under(batch[0])


def _kept_under(listing: Listing) -> str | None:
    return listing.locale if listing.problem is None else None


@repeatable
def ingest_batch(batch: Sequence[Listing]) -> Ingested:
    """Keep every picture of the batch that can be used, and the reason for every other."""
    settings = load_settings()
    set_aside = [(each.uri, each.problem) for each in batch if each.problem is not None]
    with settings.catalog.read() as transaction:
        gone = {each.image_id: removals.why(each) for each in removals.removals(transaction)}
    read: list[tuple[Listing, Picture]] = []
    measured: dict[str, ImageMeasures] = {}
    for listing in batch:
        if listing.problem is not None:
            continue
        try:
            content = settings.ingest.read(listing)
            picture = read_picture(
                content,
                max_pixels=settings.ingest.max_pixels,
                preview_side=settings.ingest.preview_side,
            )
        except FileNotFoundError:
            set_aside.append((listing.uri, "there is no such file"))
        except (UnusablePicture, OutOfReach, TooLarge) as reason:
            set_aside.append((listing.uri, str(reason)))
        except OSError as error:
            reason = error.strerror or error
            set_aside.append((listing.uri, f"cannot be read: {reason}; ingest it again"))
        else:
            if picture.id in gone:
                set_aside.append((listing.uri, gone[picture.id]))
                continue
            settings.blob_store.put(images.image_key(picture.id), content)
            settings.blob_store.put(images.preview_key(picture.id), picture.preview)
            read.append((listing, picture))
            if picture.id not in measured:
                measured[picture.id] = measure(picture.id, content, picture.preview)
    rows = list(_first_of_each(read))
    with settings.catalog.begin() as transaction:
        n_new = images.record(transaction, rows, [_source(*pair) for pair in read])
        measures.record(transaction, list(measured.values()))
        images.set_aside(transaction, set_aside)
        listed = [
            labels.manifest_label(
                picture.id,
                labels.manifest_product(name_key(listing.product)),
                listing.product,
                listing.locale,
            )
            for listing, picture in read
            if listing.product is not None
        ]
        labels.add_products(transaction, [each.product_id for each in listed if each.product_id])
        n_labelled = labels.add_labels(transaction, listed)
    return Ingested(len(batch), n_new, n_labelled, tuple(set_aside))


@task(cache_policy=NO_CACHE)
def shards_to_measure() -> list[list[str]]:
    """The images that were ingested before images were measured, in shards."""
    with load_settings().catalog.read() as transaction:
        missing = measures.unmeasured(transaction)
    return [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]


@repeatable
def measure_shard(image_ids: Sequence[str]) -> int:
    """Measure images that are in the catalogue; how many."""
    settings = load_settings()
    rows = [
        measure(
            image_id,
            settings.blob_store.get(images.image_key(image_id)),
            settings.blob_store.get(images.preview_key(image_id)),
        )
        for image_id in image_ids
    ]
    with settings.catalog.begin() as transaction:
        return measures.record(transaction, rows)


def reasons(set_aside: Sequence[tuple[str, str]]) -> list[tuple[str, int]]:
    """How often each reason occurs, the most frequent first."""
    return Counter(reason for _, reason in set_aside).most_common()


def shown(uri: str) -> str:
    """`uri` for a log: on one line, without a login and without what signs it."""
    address = uri.encode("unicode_escape").decode()
    if "://" not in address:
        return address
    scheme, _, rest = address.partition("://")
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = place.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _first_of_each(read: Sequence[tuple[Listing, Picture]]) -> Iterator[Image]:
    """One row for each content: exact duplicates are folded into the first of them."""
    seen: set[str] = set()
    for listing, picture in read:
        if picture.id not in seen:
            seen.add(picture.id)
            yield Image(
                id=picture.id,
                locale=listing.locale,
                media_type=picture.media_type,
                width=picture.width,
                height=picture.height,
                n_bytes=picture.n_bytes,
            )


def _source(listing: Listing, picture: Picture) -> ImageSource:
    return ImageSource(
        id=images.source_id(picture.id, listing.uri),
        image_id=picture.id,
        uri=listing.uri,
        locale=listing.locale,
        source=listing.source,
        captured_at=listing.captured_at,
        extra=listing.extra,
    )
