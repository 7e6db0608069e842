"""The metrics of the disks that the loop writes to."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import Metric

from deployments.observability import families
from tasks.settings import Settings


def of_disks(settings: Settings) -> Iterator[Metric]:
    """Size and room of the disk of each place of this machine."""
    usage = {name: shutil.disk_usage(path) for name, path in places(settings).items()}
    yield families.DISK_FREE.of({(name,): each.free for name, each in usage.items()})
    yield families.DISK_SIZE.of({(name,): each.total for name, each in usage.items()})


def places(settings: Settings) -> dict[str, Path]:
    """The folders of this machine that are written to, or the nearest above them that exist."""
    wanted = {
        "data": settings.data,
        "blobs": settings.blob_store.local_root,
        "temporary": Path(tempfile.gettempdir()),
    }
    return {
        name: next(folder for folder in (path, *path.parents) if folder.exists())
        for name, path in wanted.items()
        if path is not None
    }
