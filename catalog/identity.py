"""Every row is named by what it is made of, so that repeating a step repeats its names."""

import hashlib
from collections.abc import Iterable

SEPARATOR = b"\x1f"


def digest(*parts: object) -> str:
    """Name a thing by its parts: 32 hexadecimal digits, the same on every machine and every run."""
    return hashlib.sha256(SEPARATOR.join(str(part).encode() for part in parts)).hexdigest()[:32]


def set_digest(parts: Iterable[object]) -> str:
    """Name a set by its members, whatever their order."""
    return digest(*sorted(str(part) for part in parts))


def content_digest(content: bytes) -> str:
    """SHA-256 of `content`, 64 hexadecimal digits: the identity of an image."""
    return hashlib.sha256(content).hexdigest()
