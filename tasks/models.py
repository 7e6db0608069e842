"""The models that tasks use, loaded once in a process."""

from functools import lru_cache

from catalog import models
from catalog.schema import Model
from clustering import Encoder, HiLander
from tasks.errors import NoChampion
from tasks.settings import load_settings


def champion() -> Model:
    """The model in use; raises `NoChampion` where there is none yet."""
    with load_settings().catalog.begin() as transaction:
        found = models.champion(transaction)
    if found is None:
        raise NoChampion(
            "there is no champion yet, so nothing can be clustered. The first model is trained on"
            " images that are already labelled: ingest a manifest (CSV, JSON Lines or Parquet) with"
            " the columns uri, locale and product, for example `groundtruth ingest labelled.csv`,"
            " then run `groundtruth collect` and `groundtruth retrain`; or give the manifest to"
            " `groundtruth run --labelled labelled.csv`"
        )
    return found


def champion_id() -> str | None:
    """The identity of the model in use; None where there is none yet."""
    with load_settings().catalog.read() as transaction:
        found = models.champion(transaction)
    return found.id if found is not None else None


@lru_cache(maxsize=2)
def load(location: str) -> tuple[Encoder, HiLander]:
    """The encoder and the linkage model kept at `location` of the blob store."""
    with load_settings().blob_store.directory(location) as directory:
        return Encoder.load(directory / "encoder"), HiLander.load(directory / "hilander")
