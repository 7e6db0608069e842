"""What is known: images, clusters, questions, answers, decisions, labels, training sets, models.

The catalogue is a set of mapped dataclasses (`catalog.schema`), one module of functions for each
part of it, and a store for everything too large for a row (`catalog.blobs`). The functions take
an open `Transaction`, so a caller decides what happens together or not at all.
"""

from catalog.blobs import BlobStore
from catalog.database import Catalog, Transaction
from catalog.identity import content_digest, digest

__all__ = ["BlobStore", "Catalog", "Transaction", "content_digest", "digest"]
