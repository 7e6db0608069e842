"""What a person can mend about an export; each message says how."""

from importlib.util import find_spec


class ExportError(ValueError):
    """A version cannot be exported there, or a folder is no export."""


class DamagedExport(ExportError):
    """An export no longer holds what was exported."""


def require(*libraries: str) -> None:
    """Raise `ExportError` where a library of the extra `exports` is missing."""
    if missing := [library for library in libraries if find_spec(library) is None]:
        raise ExportError(
            f"{' and '.join(missing)} is not installed: run `pip install groundtruth[exports]`"
        )
