"""Where a model puts the images of the holdout: a row of figures, and a file with every image.

Models are compared by these files, so that nothing needs to be clustered again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.blobs import BlobStore
from catalog.database import add_new
from catalog.identity import content_digest
from catalog.schema import Measurement


@dataclass(frozen=True)
class Placements:
    """The images of one state of the holdout, sorted, and the cluster that a model put each into.

    `clusters` are numbered across all locales; `memberships` are the model's probabilities that
    each image is of the product that most of its cluster shows.
    """

    image_ids: Sequence[str]
    product_ids: Sequence[str]
    locales: Sequence[str]
    clusters: Sequence[int]
    memberships: Sequence[float]


def find(session: Session, model_id: str, holdout: str) -> Measurement | None:
    return session.get(Measurement, (model_id, holdout))


def newest(session: Session, model_id: str) -> Measurement | None:
    """The last measurement of a model."""
    query = select(Measurement).where(Measurement.model_id == model_id)
    return session.scalar(query.order_by(Measurement.measured_at.desc()).limit(1))


def record(session: Session, measurement: Measurement) -> None:
    add_new(session, [measurement])


def write(blobs: BlobStore, placements: Placements) -> str:
    """Keep `placements`; their location."""
    buffer = BytesIO()
    pq.write_table(pa.table({name: list(rows) for name, rows in vars(placements).items()}), buffer)
    location = f"measurements/{content_digest(buffer.getvalue())}.parquet"
    blobs.put(location, buffer.getvalue())
    return location


def read(blobs: BlobStore, measurement: Measurement) -> Placements:
    """What `write` kept."""
    return Placements(**pq.read_table(BytesIO(blobs.get(measurement.location))).to_pydict())
