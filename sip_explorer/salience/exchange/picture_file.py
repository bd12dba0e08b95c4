"""One picture file as a mask, and back."""

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.exchange.foreign import Mask, OutgoingMask, refuse_size
from sip_explorer.salience.exchange.values import mask_of

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset({".png", ".bmp", ".gif", ".jpg", ".jpeg", ".pgm", ".ppm", ".tif", ".tiff", ".webp"})
_KINDS = ("PNG", "BMP", "GIF", "JPEG", "PPM", "TIFF", "WEBP")
_ABOUT = "SIP salience"
_VOID = 255  # the index that PASCAL VOC's masks have where nobody decided
_MOST_COLOURS = 64  # of 4 bits a channel; masks have few, photos hundreds
_LONGEST = 4096  # characters of what a file says of itself


def read_picture(source: Path | IO[bytes], what: str) -> tuple[Mask, str, Mapping[str, str]]:
    """Return the mask in a picture, one sentence on what was lost, and what this program wrote beside it.

    - 8-bit grey: as it is; only 0 and 1 (an index mask): 0 and 255. 1 bit: 0 and 255.
    - 16-bit grey, 32-bit integers and fractions: `values.mask_of`.
    - palette: where the colours in use are greys, their level. Else the numbers: every one but 0 is
      255; number 255 beside others is VOC's "nobody decided" and is 0.
    - colours: the largest of red, green and blue; with more colours than a mask has it is a photo.
    - transparency: where a pixel is not opaque, the opacity alone is the mask (a layer that was
      painted on nothing); a picture that is opaque everywhere has its colours' mask.
    - a mask that this program wrote: its 256 levels, 0 and 1 included.

    Raises
    ------
    SipError
        If it is no picture, a photo, damaged, cut short or too large.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # size is judged here, and a cut file is refused below
            with Image.open(source, formats=_KINDS) as image:
                refuse_size(image.height, image.width, what)
                image.load()
                about = _about(image)
                mask, note = _mask(image, what, literal=bool(about))
                return mask, note, about
    except SipError:
        raise
    except Exception as error:  # a damaged file can make a decoder raise anything
        if isinstance(error, OSError) and error.errno is not None:  # the disk's word, not the decoder's
            raise SipError(f"{what} cannot be read ({error.strerror}): it was left out.") from error
        raise SipError(
            f"{what} cannot be read as a picture ({_reason(error)}): it is cut short, damaged or of another "
            "kind; make or copy it again."
        ) from error


def picture_bytes(mask: OutgoingMask) -> bytes:
    """Return a mask as an 8-bit grey PNG that names image, annotator and state."""
    from PIL import Image, PngImagePlugin

    information = PngImagePlugin.PngInfo()
    about = {"image": mask.image, "annotator": mask.annotator, "state": mask.state}
    information.add_itxt(_ABOUT, json.dumps({"version": 1, **about}, ensure_ascii=False))
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(mask.mask)).save(
        buffer, "PNG", compress_level=1, pnginfo=information
    )
    return buffer.getvalue()


def _mask(image: "Image.Image", what: str, *, literal: bool) -> tuple[Mask, str]:
    if image.mode[0] in "IF":  # 16 or 32 bits, fractions
        return mask_of(np.asarray(image), what)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        opacity = np.asarray(image.convert("RGBA"))[..., 3]
        if (opacity < 255).any():
            return mask_of(opacity, what, literal=True)
    if image.mode == "P":
        return _indexed(image, what)
    if image.mode in ("1", "L"):
        return mask_of(np.asarray(image), what, literal=literal)
    colours: NDArray[np.uint8] = np.asarray(image.convert("RGB"))
    if len(np.unique((colours >> 4).reshape(-1, 3) @ np.array([256, 16, 1]))) > _MOST_COLOURS:
        raise SipError(f"{what} has the colours of a photo, not of a mask: choose the masks instead.")
    return mask_of(colours.max(axis=2), what)


def _indexed(image: "Image.Image", what: str) -> tuple[Mask, str]:
    numbers: NDArray[np.uint8] = np.asarray(image)
    palette = np.asarray(image.getpalette("RGB") or (), np.uint8).reshape(-1, 3)
    used = np.unique(numbers)
    if len(palette) > used[-1]:
        colours = palette[used]
        if (colours == colours[:, :1]).all():
            return mask_of(palette[numbers, 0], what)
    counts = numbers > 0
    if ((used > 0) & (used != _VOID)).any():
        counts &= numbers != _VOID
    return mask_of(counts, what)


def _about(image: "Image.Image") -> Mapping[str, str]:
    text = image.info.get(_ABOUT)
    if not isinstance(text, str) or len(text) > _LONGEST:
        return {}
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(about, dict):
        return {}
    return {key: value for key, value in about.items() if isinstance(value, str) and value.strip()}


def _reason(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "its kind is not known"
    text = str(error)
    return type(error).__name__ if not text or "<" in text else text
