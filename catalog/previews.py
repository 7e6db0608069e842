"""The previews of many images as one sequence of pixels, each read when it is asked for."""

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from catalog.blobs import BlobStore
from catalog.images import preview_key
from catalog.pictures import preview_pixels


class Previews(Sequence[NDArray[np.uint8]]):
    """Pixels, uint8 (height, width, 3), of the previews of `image_ids`."""

    def __init__(self, blobs: BlobStore, image_ids: Sequence[str]) -> None:
        self._blobs = blobs
        self._image_ids = image_ids

    def __len__(self) -> int:
        return len(self._image_ids)

    @overload
    def __getitem__(self, place: int) -> NDArray[np.uint8]: ...
    @overload
    def __getitem__(self, place: slice) -> "Previews": ...
    def __getitem__(self, place: int | slice) -> "NDArray[np.uint8] | Previews":
        if isinstance(place, slice):
            return Previews(self._blobs, self._image_ids[place])
        return preview_pixels(self._blobs.get(preview_key(self._image_ids[place])))
