"""Where things are kept: room on the disks, a blob store that keeps, secrets for one reader."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from deployments.doctor.examination import Finding, error, warning, well
from deployments.label_studio import local_sites
from deployments.observability.of_disks import places
from tasks.redaction import redacted
from tasks.settings import Settings, settings_file

LEAST_BYTES = 1_000_000_000
"""Below that, the next training or backup finds no room."""
PROBES = "probes"


def space(settings: Settings) -> Iterator[Finding]:
    """Whether there is room on each disk."""
    for name, folder in places(settings).items():
        usage = shutil.disk_usage(folder)
        share = usage.free / usage.total
        says = f"{name} ({folder}): {usage.free / 1e9:,.1f} GB free, {share:.0%} of the disk"
        make_room = (
            "make room there: logs that were set aside (servers/*.log.* of the data directory), old"
            " training set exports, what is not ours; or move `data` or `blobs` in groundtruth.toml"
            " to a larger disk"
        )
        if usage.free < LEAST_BYTES:
            yield error(says, make_room)
        elif share < settings.observability.free_at_least:
            yield warning(says, make_room)
        else:
            yield well(says)


def blobs(settings: Settings) -> Iterator[Finding]:
    """Whether the blob store keeps what is written, gives it back, and lets it go."""
    store, key, content = settings.blob_store, f"{PROBES}/{uuid4().hex}", uuid4().bytes
    try:
        store.put(key, content)
        try:
            kept = store.get(key)
        finally:
            store.delete(key)
        if kept == content and not store.exists(key):
            yield well(f"{store.address}: written, read and deleted")
            return
        problem = "what was read is not what was written, or it is still there"
    except Exception as error_of_store:  # each object store has exceptions of its own
        problem = f"{type(error_of_store).__name__}: {error_of_store}"
    yield error(
        f"the blob store at {store.address} cannot be used: {problem}",
        "see that it is there, has room, and allows this user to read, write and delete; for S3,"
        " that the keys in the environment are valid",
    )


def secrets(settings: Settings) -> Iterator[Finding]:
    """Whether files with secrets can be read by their owner only."""
    wrong = [
        (file, mode)
        for file in _secret_files(settings)
        if file.exists() and (mode := stat.S_IMODE(file.stat().st_mode)) & 0o077
    ]
    for file, mode in wrong:
        yield error(
            f"{file} holds secrets and others may read it (mode {mode:o})",
            f"`chmod 600 {file}`; where others use this machine, give everybody in it a new one",
        )
    if not wrong:
        yield well("files with secrets are for their owner only")


def _secret_files(settings: Settings) -> Iterator[Path]:
    yield from (site.credentials_file for site in local_sites(settings))
    yield settings.metrics_token_file
    if redacted(settings.catalogue_url) != settings.catalogue_url:  # a password stands in it
        yield settings_file()
