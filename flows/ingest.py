"""Bring new pictures into the catalogue, and say what was set aside or is left out, and why."""

from itertools import groupby

from prefect import flow, get_run_logger

from tasks.artifacts import facts, publish, table
from tasks.compute import ChosenRunner
from tasks.events import Happened, pass_on
from tasks.ingest import (
    Ingested,
    ingest_batch,
    list_pictures,
    locale_of,
    measure_shard,
    reasons,
    shards_to_measure,
    shown,
)
from tasks.pool import pool_page
from tasks.rounds import has_champion
from tasks.shards import results_of
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(ingested: Ingested) -> Figures:
    return {
        "listed": ingested.n_listed,
        "new": ingested.n_new,
        "labelled": ingested.n_labelled,
        "set_aside": len(ingested.set_aside),
    }


@summarised(figures)
@flow(name="ingest", task_runner=ChosenRunner(), timeout_seconds=12 * HOUR)
def ingest(source: str | None = None, locale: str | None = None) -> Ingested:
    """Ingest a folder of pictures of one locale, or a manifest that names each picture's locale.

    Args:
        source: A folder, a manifest (.csv, .jsonl, .parquet), or a URL of either. Left empty, the
            inbox in the data directory, which holds one folder per locale.
        locale: The locale of a folder's pictures, for example de-DE. Leave empty for a manifest.
    """
    ingested = Ingested()
    # A picture that several locales list gets the one listed first, however fast each batch is.
    for _, same_locale in groupby(list_pictures(source, locale), key=locale_of):
        ingested = sum(results_of(ingest_batch.submit, same_locale), ingested)
    for _ in results_of(measure_shard.submit, shards_to_measure()):
        pass
    get_run_logger().info(
        "%d listed, %d new, %d known, %d labelled, %d set aside",
        ingested.n_listed,
        ingested.n_new,
        ingested.n_known,
        ingested.n_labelled,
        len(ingested.set_aside),
    )
    for uri, reason in ingested.set_aside:
        get_run_logger().warning("set aside %s: %s", shown(uri), reason)
    publish(
        "ingest",
        "Ingest",
        facts(
            {
                "source": source or "inbox",
                "pictures listed": ingested.n_listed,
                "new": ingested.n_new,
                "known already": ingested.n_known,
                "already labelled": ingested.n_labelled,
                "set aside": len(ingested.set_aside),
            }
        ),
        table(("why set aside", "how many"), reasons(ingested.set_aside)),
        *pool_page(),
    )
    if ingested.n_labelled:
        pass_on(Happened.LABELLED, {"n_labelled": ingested.n_labelled})
    if ingested.n_new and has_champion():
        pass_on(Happened.INGESTED, {"n_new": ingested.n_new})
    return ingested
