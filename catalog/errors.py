"""What can be wrong with the places where the catalogue keeps things, and how to mend it."""

import errno

# No room, no quota left, and a file larger than the process or the file system allows.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskFull(RuntimeError):
    """There is no room left at `place`; what was being written is not there."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"there is no room left at {place}: make room there and run the same command again;"
            " what was not written whole was not written at all"
        )


class BackupError(RuntimeError):
    """What a backup cannot be made of or restored from; the message says how to mend it."""
