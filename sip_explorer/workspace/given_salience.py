"""Object masks and boxes that came with the images, from ``images.h5`` and from files."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.workspace.image_access import ImageAccess
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.pictures import Pixels, resize


class GivenSalience(ImageAccess):
    """The part of `Workspace` about masks and boxes that came with a data set; from any thread."""

    def segmented(self, ids: Ids) -> list[int]:
        """Return those of ``ids`` that have an object mask, in order; no mask is read."""
        positions = self._index.positions[self._index.rows(ids)]
        packed = positions >= 0
        if packed.any() and not self._pictures.has_segmentations():
            packed[:] = False
        files = self.mask_files(ids)
        pairs = zip(map(int, ids), packed.tolist(), strict=True)
        return [image for image, here in pairs if here or image in files]

    def segmentations(self, ids: Ids, size: tuple[int, int] | None = None) -> dict[int, Pixels]:
        """Return image id -> object mask that came with the data set, uint8 (H, W), 255 on the object.

        Resized to ``size`` = (height, width) where given.

        Raises
        ------
        SipError
            If the file of a mask is gone, damaged, or no longer of its image's size.
        """
        wanted = np.asarray(ids, np.int64).reshape(-1)
        positions = self._index.positions[self._index.rows(wanted)]
        found: dict[int, Pixels] = {}
        packed = positions >= 0
        if packed.any():
            masks = self._pictures.read_segmentations(positions[packed])
            if masks is not None:
                found = dict(zip(wanted[packed].tolist(), masks, strict=True))
        for image, (path, kind) in self.mask_files(wanted).items():
            mask = self._read_mask(image, path, kind)
            found[image] = mask if size is None else resize(mask, size)
        kept = {image: found[image] for image in wanted.tolist() if image in found}
        return kept if size is None else {image: resize(mask, size) for image, mask in kept.items()}

    def boxes(self, ids: Ids) -> dict[int, NDArray[np.int32]]:
        """Return image id -> boxes that came with the data set, int32 (n, 4), of images that have any.

        Each row is left, top, width and height in pixels.
        """
        wanted = np.asarray(ids, np.int64).reshape(-1)
        positions = self._index.positions[self._index.rows(wanted)]
        found: dict[int, list[NDArray[np.int32]]] = {}
        packed = positions >= 0
        if packed.any():
            rows = self._pictures.read_boxes(positions[packed])
            pairs = zip(wanted[packed].tolist(), positions[packed].tolist(), strict=True)
            found = {image: [rows[row]] for image, row in pairs if row in rows}
        for image, *box in self._read(
            lambda c: c.execute(
                "SELECT image, x, y, width, height FROM boxes "
                "WHERE image IN (SELECT value FROM json_each(?)) ORDER BY image, position",
                (json.dumps(wanted.tolist()),),
            ).fetchall()
        ):
            found.setdefault(image, []).append(np.array([box], np.int32))
        return {image: np.concatenate(found[image]) for image in wanted.tolist() if image in found}

    def mask_files(self, ids: Ids | None) -> dict[int, tuple[str, str]]:
        """Return image -> path and kind of the file of its mask, of those of ``ids`` (None: of all)."""
        among = "" if ids is None else "WHERE image IN (SELECT value FROM json_each(?))"
        values = () if ids is None else (json.dumps(np.asarray(ids, np.int64).reshape(-1).tolist()),)
        rows = self._read(
            lambda c: c.execute(
                f"SELECT image, path, kind FROM segmentations {among} ORDER BY image", values
            ).fetchall()
        )
        return {image: (path, kind) for image, path, kind in rows}

    def fits(self, image: int, path: Path, kind: str) -> bool:
        """Whether the file is a mask of the image's size."""
        try:
            self._read_mask(image, str(path), kind)
        except SipError:
            return False
        return True

    def _read_mask(self, image: int, place: str, kind: str) -> Pixels:
        from sip_explorer.data.sources import read_segmentation

        path = self.path / place
        if not path.exists():
            raise SipError(f"The mask {path} is no longer there: put it back, or say where the files went.")
        mask: Pixels = read_segmentation(path, "trimap" if kind == "trimap" else "mask")
        size = self.image_shape(image)[:2]
        if mask.shape != size:
            raise SipError(
                f"The mask {path} has {mask.shape[1]} × {mask.shape[0]} pixels now, its image "
                f"{size[1]} × {size[0]}: put back the mask that was imported."
            )
        return mask
