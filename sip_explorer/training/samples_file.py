"""``samples/<epoch>.png``: what a ProtoFlow draws of every class after an epoch, the noise the same."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sip_explorer.records import atomic_path

_KEY = "sip_explorer"


@dataclass(frozen=True)
class SampleGrid:
    """``images`` are uint8 (R, n, C, H, W), n draws of R classes named by ``classes``; ``epoch`` from 1."""

    images: npt.NDArray[np.uint8]
    classes: tuple[str, ...]
    epoch: int

    def write(self, path: Path) -> None:
        """Write one picture, a row a class, atomically."""
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        rows, columns, channels, height, width = self.images.shape
        joined = self.images.transpose(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
        about = {"classes": list(self.classes), "columns": columns, "epoch": self.epoch}
        words = PngInfo()
        words.add_text(_KEY, json.dumps(about))
        path.parent.mkdir(exist_ok=True)
        with atomic_path(path) as temporary:
            Image.fromarray(joined[:, :, 0] if channels == 1 else joined).save(
                temporary, "PNG", pnginfo=words, optimize=True
            )

    @classmethod
    def read(cls, path: Path) -> "SampleGrid | None":
        """Return what the file holds; None where there is none, or one that is no such file."""
        from PIL import Image

        try:
            with Image.open(path) as picture:
                about = json.loads(picture.text[_KEY])  # type: ignore[attr-defined]  # of a PNG
                pixels = np.asarray(picture)
            rows, columns = len(about["classes"]), int(about["columns"])
            height, width = pixels.shape[0] // rows, pixels.shape[1] // columns
            images = pixels.reshape(rows, height, columns, width, -1).transpose(0, 2, 4, 1, 3)
            classes = tuple(str(name) for name in about["classes"])
            return cls(np.ascontiguousarray(images), classes, int(about["epoch"]))
        except (OSError, ValueError, KeyError, AttributeError, TypeError, ZeroDivisionError):
            return None


def samples_path(run: Path, epoch: int) -> Path:
    """Return the file of an epoch, from 1, in the run folder ``run``."""
    return run / "samples" / f"{epoch}.png"


def sampled_epochs(run: Path) -> list[int]:
    """Return the epochs that have a file, in order."""
    return sorted(int(path.stem) for path in (run / "samples").glob("*.png") if path.stem.isdecimal())
