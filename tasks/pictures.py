"""Contact sheets of candidate clusters, for a person who wants to see what the model thinks."""

from collections.abc import Sequence

from catalog import Transaction, clusters
from catalog.schema import Cluster
from tasks.artifacts import ROWS_PER_SHEET, contact_sheet, picture
from tasks.settings import load_settings


def surest_and_least_sure(partition_ids: Sequence[str]) -> list[str]:
    """Sections that show the purest and the least pure clusters of two images or more."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        surest, least_sure = (
            [_image_ids(transaction, cluster) for cluster in chosen]
            for chosen in (
                clusters.surest(transaction, partition_ids, ROWS_PER_SHEET),
                clusters.least_sure(transaction, partition_ids, ROWS_PER_SHEET),
            )
        )
    return [
        picture(contact_sheet(settings.blob_store, rows), caption)
        for rows, caption in ((surest, "The surest clusters"), (least_sure, "The least sure"))
        if rows
    ]


def _image_ids(transaction: Transaction, cluster: Cluster) -> list[str]:
    return [member.image_id for member in clusters.members_of(transaction, cluster.id)]
