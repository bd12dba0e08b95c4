"""What a file is that is no checkpoint, in words that say what to do about it; needs no torch."""

import zipfile
from collections.abc import Collection
from pathlib import Path

_TAKEN = "choose a .safetensors file or a torch file (.pt, .pth)"
_CONVERT = "load it where it was made and save the weights as a PyTorch state_dict"
_STARTS = (
    (b"\x89HDF\r\n\x1a\n", f"is an HDF5 file, as Keras and TensorFlow write (.h5); {_CONVERT}, or {_TAKEN}"),
    (b"version https://git-lfs", "is a Git LFS pointer, not the file itself; fetch it with git lfs pull"),
    (b"\x1f\x8b", "is compressed with gzip; unpack it and choose the checkpoint in it"),
    (b"BZh", "is compressed with bzip2; unpack it and choose the checkpoint in it"),
    (b"\xfd7zXZ\x00", "is compressed with xz; unpack it and choose the checkpoint in it"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd; unpack it and choose the checkpoint in it"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive; unpack it and choose the checkpoint in it"),
    (b"Rar!\x1a\x07", "is a RAR archive; unpack it and choose the checkpoint in it"),
    (b"\x93NUMPY", f"is a NumPy array (.npy); {_TAKEN}"),
    (b"GGUF", f"is a GGUF file of a language model; {_TAKEN}"),
    (b"\x89PNG", f"is a picture; {_TAKEN}"),
    (b"\xff\xd8\xff", f"is a picture; {_TAKEN}"),
    (b"%PDF", f"is a PDF document; {_TAKEN}"),
)
_SUFFIXES = {
    ".onnx": f"is an ONNX model; {_CONVERT}, or export the PyTorch model with torch.export.save (.pt2)",
    ".pb": f"is a TensorFlow graph (.pb); {_CONVERT}",
    ".tflite": f"is a TensorFlow Lite model; {_CONVERT}",
    ".msgpack": f"is a JAX or Flax checkpoint (.msgpack); {_CONVERT}",
    ".mlmodel": f"is a Core ML model; {_CONVERT}",
    ".index": f"is the index of a TensorFlow checkpoint; {_CONVERT}",
}
START_BYTES = 512
"""How much of the file `words_for` wants to see."""


def words_for(path: Path, start: bytes, size: int) -> str:
    """Return what a file is that begins with ``start``, as the rest of a sentence without its full stop."""
    if not size:
        return "is empty; copy or download it again"
    for beginning, words in _STARTS:
        if start.startswith(beginning):
            return words
    if start[257:262] == b"ustar":
        return "is a tar archive; unpack it and choose the checkpoint in it"
    if words := _protobuf(start):
        return words
    if (suffix := path.suffix.lower()) in _SUFFIXES:
        return _SUFFIXES[suffix]
    if start[:1] == b"\x80" and start[1:2] <= b"\x05":
        return "is a plain pickle, which could run code; save the model's state_dict with torch.save"
    if (text := _text(start)) is not None:
        return _words_for_text(text, path)
    if size >= 8 and not any(start):
        return "holds nothing but zeros where a checkpoint begins; copy or download it again"
    return f"is no checkpoint; {_TAKEN}"


def words_for_archive(names: Collection[str]) -> str:
    """Return what a ZIP archive with these members is, in the same form."""
    if any(name.endswith(("/constants.pkl", "/code/__torch__.py")) for name in names):
        return "is a TorchScript program; save the state_dict() of the model that it was made from"
    if any("data/aotinductor/" in name for name in names):
        return "is a program compiled by AOTInductor; export the model with torch.export.save instead"
    if any(name.endswith(".data/extern_modules") for name in names):
        return "is a torch.package, which holds code; save the model's state_dict with torch.save"
    if names and all(name.endswith(".npy") for name in names):
        return "is a NumPy archive (.npz) and no torch checkpoint; save the weights as a PyTorch state_dict"
    if {"config.json", "model.weights.h5"} <= set(names):
        return f"is a Keras model and no torch checkpoint; {_CONVERT}"
    inside = sorted(name for name in names if name.endswith((".pt", ".pth", ".safetensors", ".ckpt", ".bin")))
    if inside:
        return f"is a ZIP archive that holds {inside[0]}; unpack it and choose that file"
    return "is a ZIP archive but no torch checkpoint; choose a .pt or .safetensors file"


def archive_names(path: Path) -> list[str] | None:
    """Return the members of a ZIP archive, None where it is none or is cut short.

    Of an archive that was cut off within a member which is an archive itself, only the inner index is
    there: then the first member does not begin where the file does.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if min((info.header_offset for info in archive.infolist()), default=0):
                return None
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError):
        return None


def _protobuf(start: bytes) -> str:
    # An ONNX model begins with field 1 (its version, 3 to 20) and field 2 (its producer's name); a
    # TensorFlow SavedModel with version 1 and field 2 (the graph); a TFLite file has its name at byte 4.
    if start[4:8] == b"TFL3":
        return _SUFFIXES[".tflite"]
    if start[:1] == b"\x08" and start[2:3] == b"\x12" and len(start) > 4:
        if start[1] == 1:
            return _SUFFIXES[".pb"]
        if 3 <= start[1] <= 20 and start[4 : 4 + start[3]].isascii():
            return _SUFFIXES[".onnx"]
    return ""


def _text(start: bytes) -> str | None:
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # else only the last character is cut
            return None
        text = start[: error.start].decode("utf-8-sig")
    return text if all(letter.isprintable() or letter in "\r\n\t\f" for letter in text) else None


def _words_for_text(text: str, path: Path) -> str:
    begin = text.lstrip().lower()
    if begin.startswith(("<!doctype html", "<html", "<head", "<script", "<body")):
        return "is a web page, probably an error page of the download; download the file itself again"
    if begin.startswith("<?xml") or begin.startswith("<error"):
        return "is an XML page, probably an error message of the download; download the file itself again"
    if path.name.endswith(".index.json") or '"weight_map"' in text:
        return "is the index of a checkpoint in several files; join them into one .safetensors file first"
    shown = " ".join(text.split())[:40]
    return f"is text (“{shown}…”) and is no checkpoint; {_TAKEN}" if shown else f"is no checkpoint; {_TAKEN}"
