"""Small versions of large pictures: the same picture, in little memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from sip_explorer.data import read_image, read_reduced, reduced
from sip_explorer.records import SipError

y, x = np.mgrid[0:900, 0:1300]
PHOTO = np.stack([x * 255 // 1299, y * 255 // 899, (np.sin(x / 60) * np.cos(y / 45) + 1) * 127], -1).astype(
    np.uint8
)


def expected(pixels: np.ndarray, longest: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    size = (round(width * scale), round(height * scale))
    flat = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    return np.asarray(Image.fromarray(flat).resize(size, Image.Resampling.BILINEAR)).reshape(
        size[1], size[0], -1
    )


def alike(found: np.ndarray, wanted: np.ndarray) -> bool:
    return found.shape == wanted.shape and np.abs(found.astype(int) - wanted).mean() < 2


WAYS = {
    "a.jpg": {"quality": 95},
    "p.jpg": {"quality": 95, "progressive": True},
    "a.png": {},
    "a.webp": {"quality": 95},
    "lzw.tif": {"compression": "tiff_lzw"},
    "jpeg.tif": {"compression": "jpeg", "quality": 95},
    "raw.tif": {},
}


@pytest.mark.parametrize("how", [1, 6, 7])
@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("longest", [96, 512])
def test_it_is_the_same_picture(
    tmp_path: Path, name: str, longest: int, how: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduced, "MOST_PIXELS", 4_000_000)  # so that this TIFF counts as a huge one
    exif = Image.Exif()
    exif[0x0112] = how
    Image.fromarray(PHOTO).save(tmp_path / name, exif=exif, **WAYS[name])
    found = read_reduced(tmp_path / name, longest)
    assert max(found.shape) == longest
    assert alike(found, expected(read_image(tmp_path / name), longest))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("rgb", {"tile": (64, 128), "compression": "zlib", "predictor": True}),
        ("rgb", {"tile": (64, 64), "byteorder": ">"}),
        ("rgb", {"rowsperstrip": 7, "compression": "zlib", "predictor": True}),
        ("rgb", {"rowsperstrip": 7, "byteorder": ">"}),
        ("grey", {"tile": (256, 256), "compression": "zlib"}),
        ("wide", {"rowsperstrip": 11, "byteorder": ">"}),
        ("wide", {"tile": (64, 64), "byteorder": "<", "compression": "zlib"}),
        ("white", {"rowsperstrip": 11, "byteorder": "<"}),
        ("fractions", {"tile": (128, 128)}),
        ("opaque", {"rowsperstrip": 16, "compression": "zlib"}),
    ],
)
def test_tiff_piece_by_piece(
    tmp_path: Path, kind: str, options: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduced, "MOST_PIXELS", 4_000_000)
    values, meaning = {
        "rgb": (PHOTO, "rgb"),
        "grey": (PHOTO[..., 2], "minisblack"),
        "wide": (PHOTO[..., 2].astype(np.uint16) * 257, "minisblack"),
        "white": (PHOTO[..., 2].astype(np.uint16) * 257, "miniswhite"),
        "fractions": ((PHOTO[..., 2] / 255).astype(np.float32), "minisblack"),
        "opaque": (np.dstack([PHOTO, 0 * PHOTO[..., 0] + 255]), "rgb"),
    }[kind]
    tifffile.imwrite(tmp_path / "a.tif", values, photometric=meaning, **options)
    assert alike(read_reduced(tmp_path / "a.tif", 128), expected(read_image(tmp_path / "a.tif"), 128))


def test_a_small_picture_stays_as_it_is(tmp_path: Path) -> None:
    Image.fromarray(PHOTO[:50, :70]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_reduced(tmp_path / "a.png", 96), PHOTO[:50, :70])
    clear = np.dstack([PHOTO[:300, :400], 0 * PHOTO[:300, :400, 0]])
    Image.fromarray(clear).save(tmp_path / "t.png")
    assert (read_reduced(tmp_path / "t.png", 96) == 255).all()
    Image.fromarray(PHOTO[:1, :]).save(tmp_path / "row.png")
    assert read_reduced(tmp_path / "row.png", 96).shape == (1, 96, 3)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "lzw.tif", "raw.tif"])
def test_cut_short(tmp_path: Path, name: str, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduced, "MOST_PIXELS", 4_000_000)
    Image.fromarray(PHOTO).save(tmp_path / name, **WAYS[name])
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(share * len(data))])
    with pytest.raises(SipError, match=name):
        read_reduced(tmp_path / name, 96)


def test_what_cannot_be_read_in_pieces_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduced, "MOST_PIXELS", 400_000)
    for name, words in (("a.png", "baseline JPEG or a TIFF"), ("p.jpg", "baseline JPEG or a TIFF")):
        Image.fromarray(PHOTO).save(tmp_path / name, **WAYS[name])
        with pytest.raises(SipError, match=words):
            read_reduced(tmp_path / name, 96)
    tifffile.imwrite(
        tmp_path / "planes.tif", PHOTO.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"
    )
    with pytest.raises(SipError, match="a plane for each colour"):
        read_reduced(tmp_path / "planes.tif", 96)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as Linux counts it")
def test_a_photo_of_108_megapixels_needs_less_than_300_mb(tmp_path: Path) -> None:
    tile = Image.fromarray(np.tile(PHOTO, (1, 10, 1))[:, :12000])
    large = Image.new("RGB", (12000, 9000))
    for top in range(0, 9000, 900):
        large.paste(tile, (0, top))
    large.save(tmp_path / "a.jpg", quality=70)
    del large
    script = (
        "import resource, sys\n"
        "from sip_explorer.data import read_reduced\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert read_reduced(sys.argv[1], 512).shape == (384, 512, 3)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a.jpg"], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 300
