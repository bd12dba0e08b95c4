"""What a file is that is no picture, said in one sentence, by its first bytes."""

import os
from pathlib import Path

_ISO_BRANDS = {
    b"heic": "a HEIC picture",
    b"heix": "a HEIC picture",
    b"hevc": "a HEIC picture",
    b"mif1": "a HEIF picture",
    b"msf1": "a HEIF picture",
    b"avif": "an AVIF picture",
    b"avis": "an AVIF picture",
}
_BEGINNINGS = (
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF file"),
    (b"%!PS", "a PostScript file"),
    (b"PK", "an archive"),
    (b"\x1f\x8b", "an archive"),
    (b"Rar!", "an archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
)


def no_picture(path: Path | str) -> str:
    """Return the sentence for a file that is no picture that can be read."""
    with open(path, "rb") as file:
        head = file.read(512)
    if not head:
        return f"{path} is empty, no image; fetch it again."
    lower = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if lower.startswith(b"version https://git-lfs"):
        return f"{path} is a pointer of Git LFS, no image; fetch the files themselves with git lfs pull."
    if lower.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return f"{path} is a web page, no image; the address was wrong, so fetch it again."
    if b"<svg" in lower:
        return f"{path} is a drawing (SVG), no image of pixels; save it as PNG."
    if head[4:8] == b"ftyp" and head[8:12] in _ISO_BRANDS:
        return (
            f"{path} is {_ISO_BRANDS[head[8:12]]}, no image that can be read here; convert it to PNG or JPEG."
        )
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return f"{path} is {kind}, no image that can be read here; convert it to PNG or JPEG."
    if b"\0" not in head and _is_text(head):
        return f"{path} is text, no image; choose a PNG or JPEG file."
    if not any(head):
        return f"{path} holds nothing but zeros, no image; fetch it again."
    name = os.path.basename(os.fspath(path))
    ending = os.path.splitext(name)[1].lower()
    if ending in (".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp"):
        return f"{path} is no image, or its beginning is damaged; fetch it again."
    return f"{path} is no image that can be read; choose a PNG or JPEG file."


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 4:  # a letter may be cut at the end
            return False
        text = data[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\t\r\n" for letter in text)
