"""A seeded sample: photos of invented products in several locales, for demos and tests."""

from .writer import LOCALES, Sample, write

__all__ = ["LOCALES", "Sample", "write"]
