"""A training set version as a folder that others can read, and back again to the same digest.

Every export holds the original bytes of the images, a card (`README.md`), Croissant metadata
(`croissant.json`), and in `groundtruth.json` which version it is. The layouts differ in how images
and labels lie beside each other (`catalog.exports.layouts`).
"""

from catalog.exports.about import About
from catalog.exports.errors import DamagedExport, ExportError
from catalog.exports.layouts import LAYOUTS
from catalog.exports.reading import ReadBack, read_back
from catalog.exports.stamp import Stamp
from catalog.exports.writing import export

__all__ = [
    "LAYOUTS",
    "About",
    "DamagedExport",
    "ExportError",
    "ReadBack",
    "Stamp",
    "export",
    "read_back",
]
