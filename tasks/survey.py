"""Tasks that compare the locales, and make a page of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog import Transaction, clusters, content_digest, coverage, features, measures, models
from catalog.images import preview_key
from expectations.pictures import MEASURES, Routed, route
from expectations.survey import (
    NAMES,
    Survey,
    as_vectors,
    ranks_of_quality,
    strangest,
    survey,
    typical,
    worst,
)
from expectations.survey_page import Board, Shown, render
from tasks.artifacts import bullets, table
from tasks.duplicates import groups_by_locale
from tasks.settings import Settings, load_settings

ON_A_BOARD = 8
LOOKED_AT = 5000
"""Images of a locale among which the typical and the strangest are sought."""

THUMBNAIL = 160
SURVEYS = "surveys"

Places = Mapping[str, tuple[str, int]]


@dataclass(frozen=True)
class Surveyed:
    """The survey, and where its page lies in the blob store."""

    survey: Survey
    location: str


@task(cache_policy=NO_CACHE)
def survey_locales() -> Surveyed:
    """Compare the locales as they are now, and keep a page of it."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        images = coverage.of_images(transaction, settings.plan.category)
        measured = _measured(transaction, images["locale"].unique())
        routed = route(measured, settings.pictures)
        shown = measured["locale"].drop(index=list(routed.left_out)).to_dict()
        groups = groups_by_locale(transaction, shown, settings.pictures.near_duplicates_within)
        model = models.champion(transaction)
        looked_at = [key for _, rows in _looked_at(measured) for key in rows.index]
        places = clusters.features_of(transaction, model.id, looked_at) if model else {}
    found = survey(images, measured, groups, routed, settings.plan)
    page = render(found, list(_boards(settings, measured, groups, routed, places))).encode()
    location = f"{SURVEYS}/{content_digest(page)}.html"
    settings.blob_store.put(location, page)
    return Surveyed(found, location)


def survey_page(found: Survey) -> tuple[str, ...]:
    """The survey's findings and tables as sections of a page."""
    return (
        bullets(found.findings) or "Nothing stands out.",
        table(
            ("locale", "images", "repeat another", "left out", "asked one by one"),
            ((p.locale, p.images, p.repeated, p.left_out, p.doubtful) for p in found.pools),
        ),
        table(
            ("locale", "images", "products", "share", "missing", "balance"),
            (
                (
                    *(h.locale, h.images, h.products),
                    *(f"{h.share:.1%}", h.missing, h.balance),
                )
                for h in found.holdings
                if h.category is None
            ),
        ),
        table(
            ("measure", "locale", "median", "elsewhere", "Cliff's delta, 95 %", "p", "size"),
            (
                (
                    *(NAMES[d.measure], d.locale, f"{d.median:.3g}", f"{d.median_of_others:.3g}"),
                    *(f"{d.delta:+.2f} [{d.low:+.2f}, {d.high:+.2f}]", f"{d.p:.2g}", d.size),
                )
                for d in found.differences
                if d.size != "negligible"
            ),
        ),
    )


def _measured(transaction: Transaction, locales: Iterable[str]) -> pd.DataFrame:
    """The measures of all images, with their locale."""
    return pd.concat(
        [
            measures.of_locale(transaction, locale).assign(locale=locale)
            for locale in sorted(locales)
        ]
        or [pd.DataFrame(columns=[*NAMES, "screenshot", "locale"], dtype=float)]
    )


def _looked_at(measured: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Images of each locale that stand for it: their identities are random numbers."""
    for locale, rows in measured.groupby("locale"):
        yield str(locale), rows.iloc[:LOOKED_AT]


def _boards(
    settings: Settings,
    measured: pd.DataFrame,
    groups: Mapping[str, str],
    routed: Routed,
    places: Places,
) -> Iterator[Board]:
    """What stands out in each locale; boards without pictures are left out."""

    def board(title: str, locale: str, captions: Sequence[tuple[str, str]]) -> Board:
        shown = [
            Shown(_thumbnail(settings.blob_store.get(preview_key(key))), f"{key[:8]} {caption}")
            for key, caption in captions[:ON_A_BOARD]
        ]
        return Board(title, locale, shown)

    ranks = ranks_of_quality(measured)
    for locale, rows in _looked_at(measured):
        fine = rows[~rows.index.isin([*routed.left_out, *routed.doubtful])]
        ids, vectors = _vectors(settings, fine, places)
        found = (
            ("Typical", [(ids[row], "") for row in typical(vectors, ON_A_BOARD)]),
            ("Strangest", [(ids[row], "") for row in strangest(vectors, ON_A_BOARD)]),
            (
                "Worst of those that are clustered",
                [
                    (key, f"{MEASURES[of][0]} {MEASURES[of][1].format(fine.at[key, of])}")
                    for key, of in worst(ranks.loc[fine.index], ON_A_BOARD)
                ],
            ),
            ("Asked about one by one", _reasons(rows, routed.doubtful)),
            ("Left out", _reasons(rows, routed.left_out)),
            ("Near-duplicates, the largest groups", _largest(rows, groups)),
        )
        for title, captions in found:
            if captions:
                yield board(title, locale, captions)


def _vectors(
    settings: Settings, rows: pd.DataFrame, places: Places
) -> tuple[list[str], NDArray[np.floating]]:
    """The images by the champion's embeddings if most have one, otherwise by their measures."""
    embedded = [key for key in rows.index if key in places]
    if len(embedded) > len(rows) / 2:
        return embedded, features.read(settings.blob_store, embedded, places)
    return list(rows.index), as_vectors(rows)


def _reasons(rows: pd.DataFrame, reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(key, reasons[key]) for key in rows.index if key in reasons]


def _largest(rows: pd.DataFrame, groups: Mapping[str, str]) -> list[tuple[str, str]]:
    """Two pictures of each of the largest groups of near-duplicates."""
    members: dict[str, list[str]] = defaultdict(list)
    for key in rows.index:
        if key in groups:
            members[groups[key]].append(key)
    largest = sorted(members.values(), key=lambda keys: (-len(keys), keys))
    return [(key, f"one of {len(keys)}") for keys in largest if len(keys) > 1 for key in keys[:2]]


def _thumbnail(preview: bytes) -> bytes:
    with Image.open(BytesIO(preview), formats=("JPEG",)) as picture:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
