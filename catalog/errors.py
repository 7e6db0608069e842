"""What can be wrong with the places where the catalogue keeps things, and how to mend it."""

import errno

from sqlalchemy.exc import DBAPIError, OperationalError

# No room, no quota left, and a file larger than the process or the file system allows.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskFull(RuntimeError):
    """There is no room left at `place`; what was being written is not there."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"there is no room left at {place}: make room there and run the same command again;"
            " what was not written whole was not written at all"
        )


class CatalogueUnreachable(ConnectionError):
    """The database does not answer, or the connection was cut; the message says how to mend it."""


class StoreUnreachable(ConnectionError):
    """The blob store does not answer; the message says how to mend it."""


def may_pass(error: BaseException | None) -> bool:
    """Whether what failed may succeed when it is tried again, with nothing mended in between.

    A connection that was cut, a database that was busy or restarts, a store that did not answer;
    not a full disk, a file that is missing or forbidden, or anything that is wrong in itself.
    """
    if isinstance(error, DBAPIError):
        return isinstance(error, OperationalError) or error.connection_invalidated
    lasting = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
    return (
        isinstance(error, OSError) and not isinstance(error, lasting) and error.errno not in NO_ROOM
    )


class BackupError(RuntimeError):
    """What a backup cannot be made of or restored from; the message says how to mend it."""
