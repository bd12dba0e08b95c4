"""Adversarial images as 8-bit pictures: rounded so that the ball holds, and judged as they lie on disk."""

import io
import math
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from sip_explorer.attacks.foreign import ForeignVerdict, checked_pair, counted, judge_images
from sip_explorer.attacks.request import Norm
from sip_explorer.records import (
    Artefact,
    CancelToken,
    Event,
    Finished,
    Progress,
    SipError,
    Started,
    write_bytes,
)
from sip_explorer.records.adversarial import AdversarialImages


@dataclass(frozen=True)
class PngExport:
    """What became of adversarial images as PNG files.

    Attributes
    ----------
    folder, files
        Where they lie; the files in the order of the images.
    exact, rounded
        The verdict on the float images, and on the files as they were read back.
    """

    folder: Path
    files: tuple[Path, ...]
    exact: ForeignVerdict
    rounded: ForeignVerdict

    @property
    def broken(self) -> int:
        """Return how many images the attack broke as floats."""
        return int(self._broken.sum())

    @property
    def still_broken(self) -> int:
        """Return how many of these are broken as files too."""
        return int((self._broken & self.rounded.success).sum())

    @property
    def kept(self) -> float:
        """Return the share of broken images that are still broken; NaN where none was."""
        return self.still_broken / self.broken if self.broken else math.nan

    @property
    def largest_distance(self) -> float:
        """Return the largest distance of a file from its original, in the norm."""
        return float(self.rounded.distance.max())

    @property
    def sentence(self) -> str:
        """Return the outcome as a person reads it."""
        return (
            f"Of {self.broken} images that the attack broke, {self.still_broken} are still misclassified as "
            f"8-bit PNG. {self.rounded.sentence}"
        )

    @property
    def _broken(self) -> Tensor:
        return self.exact.success & self.exact.clean_correct


def rounded_toward(original: Tensor, adversarial: Tensor) -> Tensor:
    """Return 8-bit levels for ``adversarial``, each value rounded toward the original's.

    A value becomes the level nearest to it that lies between the original and itself, so no value is
    farther from its original than it was, and every ball holds. Where no level lies between the two
    (the original is not an 8-bit image, or hardly moved), it becomes the level nearest to the original,
    which is at most half a level away.

    Parameters
    ----------
    original, adversarial
        (N, C, H, W) float; clipped to [0, 1].

    Returns
    -------
    Tensor
        (N, C, H, W) uint8 on the CPU; value = level / 255 in float32.
    """
    levels = torch.arange(256, dtype=torch.float32).div_(255)  # the values that a reader gets
    start = original.detach().cpu().float().clamp(0, 1)
    end = adversarial.detach().cpu().float().clamp(0, 1)
    upward = end >= start
    level = _nearest_level(end)
    beyond = torch.where(upward, levels[level] > end, levels[level] < end).int()
    level += torch.where(upward, -beyond, beyond)
    between = torch.where(upward, levels[level] >= start, levels[level] <= start)
    return torch.where(between, level, _nearest_level(start)).to(torch.uint8)


def export_png(
    folder: Path | str,
    adversarial: AdversarialImages,
    originals: Tensor,
    labels: Tensor,
    *,
    model: nn.Module,
    norm: Norm,
    epsilon: float | Tensor,
    classes: Sequence[str] = (),
    micro_batch: int = 64,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Write one PNG per image, read them back and judge them, as a job.

    Files are named by image id and class (``000123_Sandal.png``) and replace others of that name.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    adversarial
        The images; ``indices`` are the ids in the names, 0 … N − 1 if None.
    originals, labels
        (N, C, H, W) float in [0, 1] and (N,) int64, in the same order.
    model, norm, epsilon, micro_batch
        Who judges, and in which ball; see `judge_images`.
    classes
        Class names for the file names; numbers without.
    token
        Looked at before each file and each micro-batch; written files stay.

    Yields
    ------
    Event or None
        Started, Progress, None per file, ``Artefact("png-export", folder, PngExport)``, Finished.

    Raises
    ------
    SipError
        The images cannot be PNG files, or do not belong to the originals.
    """
    folder, token = Path(folder), token or CancelToken()
    count = len(originals)
    total = 5 * count  # two judgements of clean and adversarial images, and the files
    images = torch.from_numpy(adversarial.images)
    checked_pair(originals, images, labels, norm=norm, epsilon=epsilon)
    yield Started(f"{count} images as PNG", total)
    files = _files(folder, adversarial, labels, classes)

    def judged(images: Tensor) -> Generator[int, None, ForeignVerdict]:
        return judge_images(
            model, originals, images, labels, norm=norm, epsilon=epsilon, micro_batch=micro_batch, token=token
        )

    exact = yield from counted(judged(images), 0, total, "judging the float images")
    for number, file in enumerate(files):
        token.check()
        _write_png(file, rounded_toward(originals[number : number + 1], images[number : number + 1])[0])
        if number % micro_batch:
            yield None
        else:
            yield Progress(2 * count + number, total, "writing")
    read = []
    for file in files:
        token.check()
        read.append(_read_png(file))
        yield None
    rounded = yield from counted(judged(torch.cat(read)), 3 * count, total, "judging the files")
    export = PngExport(folder, files, exact, rounded)
    yield Artefact("png-export", str(folder), export)
    yield Finished(
        "completed",
        {
            "broken": export.broken,
            "still_broken": export.still_broken,
            "largest_distance": export.largest_distance,
            "sentence": export.sentence,
        },
    )


def _nearest_level(values: Tensor) -> Tensor:
    return (values * 255).round().int()


def _files(
    folder: Path, adversarial: AdversarialImages, labels: Tensor, classes: Sequence[str]
) -> tuple[Path, ...]:
    count, channels = adversarial.images.shape[:2]
    if channels not in (1, 3):
        raise SipError(f"An image of {channels} channels cannot be a PNG: export it as .h5 or .npy.")
    ids = range(count) if adversarial.indices is None else adversarial.indices.tolist()
    if len(ids) != count:
        raise SipError(f"There are {count} adversarial images and {len(ids)} ids: give an id for each image.")
    if len(set(ids)) < count:
        raise SipError(
            "An image id occurs twice, so that its files would replace each other: export it once."
        )
    names = [classes[label] if label < len(classes) else str(label) for label in labels.tolist()]
    safe = [re.sub(r"[^\w.-]+", "_", name)[:60] for name in names]
    return tuple(folder / f"{number:06d}_{name}.png" for number, name in zip(ids, safe, strict=True))


def _write_png(path: Path, levels: Tensor) -> None:
    from PIL import Image

    pixels = levels.permute(1, 2, 0).numpy()
    stream = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    write_bytes(path, stream.getvalue())


def _read_png(path: Path) -> Tensor:
    from sip_explorer.data.images import read_image, to_float  # Pillow comes with it

    return to_float(read_image(path)[None])
