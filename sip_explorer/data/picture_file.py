"""Opening a picture file: only kinds that are safe to decode, and one sentence for every fault."""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError

from sip_explorer.data.picture_faults import no_picture
from sip_explorer.records import SipError

# Kinds that Pillow decodes by itself; others start programs (EPS) or are no pictures of pixels.
_KINDS: tuple[str, ...] = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "JPEG2000")
if find_spec("PIL.AvifImagePlugin") is not None:  # since Pillow 11.3
    _KINDS += ("AVIF",)
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SAYS_HOW_IT_STANDS = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")

# Sizes are judged by whoever opens a file. Only once: catch_warnings is not safe in threads.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@contextmanager
def opened_picture(path: Path | str) -> Iterator[ImageFile.ImageFile]:
    """Open a picture file; every fault within the block too becomes a `SipError`."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would wait for ever
            kind = "a directory" if os.path.isdir(path) else "no plain file"
            raise SipError(f"{path} is {kind}, no image; choose a PNG or JPEG file.")
        with Image.open(path, formats=_KINDS) as image:
            yield image
    except SipError:
        raise
    except UnidentifiedImageError as error:
        raise SipError(no_picture(path)) from error
    except Image.DecompressionBombError as error:
        raise SipError(f"{path} has too many pixels to be opened at once; make it smaller first.") from error
    except OSError as error:
        if error.errno is not None:  # the disk's word, not the decoder's
            raise SipError(f"{path} cannot be read ({error.strerror}); choose another file.") from error
        raise SipError(_damaged(path, error)) from error
    except MemoryError as error:
        raise SipError(f"{path} needs more memory than there is; make it smaller first.") from error
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise SipError(_damaged(path, error)) from error


def orientation(image: ImageFile.ImageFile) -> int:
    """Return how a picture that was loaded lies, 1 (upright) to 8, by its EXIF or XMP."""
    # Pillow turns TIFF files itself. Most files say nothing: then no EXIF is parsed.
    if image.format == "TIFF" or not any(key in image.info for key in _SAYS_HOW_IT_STANDS):
        return 1
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF of a picture that is whole: it is shown as it lies
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def turned(image: Image.Image, how: int) -> Image.Image:
    """Return the picture upright that lies as ``how``, 1 to 8."""
    return image.transpose(_TURNS[how]) if how in _TURNS else image


def size_of(image: ImageFile.ImageFile, path: Path | str) -> tuple[int, int]:
    """Return (height, width) as the picture stands upright; no pixel is decoded."""
    how = orientation(image)
    if image.format == "PNG" and how == 1:
        how = _after_the_pixels(path)
    return (image.width, image.height) if how > 4 else (image.height, image.width)


def _after_the_pixels(path: Path | str) -> int:
    """Return what an ``eXIf`` chunk behind a PNG's pixels says; the chunks before it are jumped over."""
    with open(path, "rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
            length = int.from_bytes(head[:4], "big")
            if head[4:] == b"eXIf" and length < 1 << 20:
                exif = Image.Exif()
                try:
                    exif.load(file.read(length))
                except Exception:  # as above: damaged EXIF turns nothing
                    return 1
                found = exif.get(_ORIENTATION, 1)
                return found if isinstance(found, int) and 1 <= found <= 8 else 1
            file.seek(length + 4, os.SEEK_CUR)
    return 1


def _damaged(path: Path | str, error: Exception) -> str:
    text = str(error)
    reason = type(error).__name__ if not text or "<" in text else text
    if "truncated" in text or "Truncated" in text or isinstance(error, EOFError):
        return f"{path} is cut short ({reason}), so it cannot be read as an image; fetch it again."
    return f"{path} cannot be read as an image ({reason}); choose another file."
