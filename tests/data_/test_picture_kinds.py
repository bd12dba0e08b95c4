"""Pictures of every kind, whole and broken: the right pixels or one sentence, never half an image."""

import os
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from skimage import color

from sip_explorer.data import image_size, read_image
from sip_explorer.records import SipError

RANDOM = np.random.default_rng(0)
y, x = np.mgrid[0:48, 0:64]
SMOOTH = np.stack([4 * x, 5 * y, 2 * (x + y)], axis=-1).astype(np.uint8)
WIDE = RANDOM.integers(0, 65536, (5, 7), dtype=np.uint16)
WIDE_RGB = RANDOM.integers(0, 65536, (5, 7, 3), dtype=np.uint16)


def to_eight(wide: np.ndarray) -> np.ndarray:
    return np.round(wide / 257).astype(np.uint8)


def png(path: Path, depth: int, kind: int, rows: np.ndarray, extra: bytes = b"") -> Path:
    """Write a PNG byte by byte: Pillow writes no 16-bit colours."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], depth, kind, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2" if depth == 16 else ">u1").tobytes() for row in rows)
    body = chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def test_sixteen_bits_in_png(tmp_path: Path) -> None:
    found = read_image(png(tmp_path / "g.png", 16, 0, WIDE))
    np.testing.assert_array_equal(found[..., 0], to_eight(WIDE))
    found = read_image(png(tmp_path / "c.png", 16, 2, WIDE_RGB)).astype(int)
    assert np.abs(found - to_eight(WIDE_RGB)).max() <= 1  # Pillow takes the upper byte
    clear = np.dstack([WIDE, np.where(np.arange(7) < 3, 0, 65535) + 0 * WIDE]).astype(np.uint16)
    found = read_image(png(tmp_path / "a.png", 16, 4, clear))
    assert (found[:, :3] == 255).all()
    assert np.abs(found[:, 3:, 0].astype(int) - to_eight(WIDE)[:, 3:]).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_sixteen_bits_in_tiff(tmp_path: Path, order: str, compression: str | None) -> None:
    options = {"byteorder": order, "compression": compression}
    path = tmp_path / "t.tif"
    tifffile.imwrite(path, WIDE, photometric="minisblack", **options)
    np.testing.assert_array_equal(read_image(path)[..., 0], to_eight(WIDE))
    tifffile.imwrite(path, WIDE_RGB, photometric="rgb", **options)
    assert np.abs(read_image(path).astype(int) - to_eight(WIDE_RGB)).max() <= 1


def test_white_is_zero_in_tiff(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "w.tif", WIDE, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "w.tif")[..., 0], 255 - to_eight(WIDE))
    tifffile.imwrite(tmp_path / "v.tif", SMOOTH[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "v.tif")[..., 0], 255 - SMOOTH[..., 0])


def test_fractions_in_tiff(tmp_path: Path) -> None:
    path = tmp_path / "f.tif"
    tifffile.imwrite(path, (SMOOTH[..., 0] / 255).astype(np.float32), photometric="minisblack")
    np.testing.assert_array_equal(read_image(path)[..., 0], SMOOTH[..., 0])
    for values in (SMOOTH[..., 0] * 1.0, SMOOTH[..., 0] / -255, np.full((3, 4), np.nan)):
        tifffile.imwrite(path, values.astype(np.float32), photometric="minisblack")
        with pytest.raises(SipError, match="floating-point values from"):
            read_image(path)
    tifffile.imwrite(path, WIDE.astype(np.int32), photometric="minisblack")
    with pytest.raises(SipError, match="32-bit numbers"):
        read_image(path)


def test_of_several_pages_the_first(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "p.tif", np.stack([SMOOTH, 255 - SMOOTH]), photometric="rgb")
    np.testing.assert_array_equal(read_image(tmp_path / "p.tif"), SMOOTH)
    frames = [Image.fromarray(np.full((6, 8, 3), value, np.uint8)) for value in (10, 200)]
    for name in ("a.gif", "a.png", "a.webp"):
        options = {"lossless": True} if name.endswith("webp") else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=50, **options)
        assert (read_image(tmp_path / name) == 10).all()


def test_cmyk_jpeg(tmp_path: Path) -> None:
    inks = np.dstack([SMOOTH, 0 * SMOOTH[..., 0]])
    path = tmp_path / "c.jpg"
    Image.fromarray(inks, "CMYK").save(path, quality=100, subsampling=0)
    assert b"Adobe" in path.read_bytes()  # with its marker the inks are stored inverted
    assert np.abs(read_image(path).astype(int) - (255 - SMOOTH)).max() <= 6


def test_ycck_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "y.jpg"
    inks = np.dstack([np.full((16, 16, 3), (0, 0, 0), np.uint8), np.zeros((16, 16), np.uint8)])
    Image.fromarray(inks, "CMYK").save(path, quality=100)
    data = bytearray(path.read_bytes())
    at = data.index(b"Adobe") + 11
    assert data[at] == 0  # the transform: 0 CMYK, 2 YCCK
    data[at] = 2
    path.write_bytes(data)
    # Inverted inks 255, 255, 255 as Y, Cb, Cr are a strong colour in place of white.
    found = read_image(path)[8, 8].astype(int)
    luma, blue, red = 255, 127, 127
    expected = np.clip(
        [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], 0, 255
    )
    assert np.abs(np.minimum(found, 255 - found) - np.minimum(expected, 255 - expected)).max() <= 3


def test_lab(tmp_path: Path) -> None:
    lab = ImageCms.createProfile("LAB")
    change = ImageCms.buildTransformFromOpenProfiles(ImageCms.createProfile("sRGB"), lab, "RGB", "LAB")
    ImageCms.applyTransform(Image.fromarray(SMOOTH), change).save(tmp_path / "l.tif")
    stored = tifffile.imread(tmp_path / "l.tif").astype(float)
    signed = np.where(stored[..., 1:] > 127, stored[..., 1:] - 256, stored[..., 1:])
    expected = color.lab2rgb(np.dstack([stored[..., 0] / 2.55, signed]), illuminant="D65")
    found = read_image(tmp_path / "l.tif").astype(int)
    inner = ((expected > 0.02) & (expected < 0.98)).all(axis=-1)  # what sRGB can show
    assert np.abs(found - 255 * expected)[inner].mean() < 6


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1)])
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.gif", "a.bmp"])
def test_images_of_one_pixel_or_row(tmp_path: Path, size: tuple[int, int], name: str) -> None:
    Image.fromarray(np.full((*size, 3), 100, np.uint8)).save(tmp_path / name)
    assert read_image(tmp_path / name).shape[:2] == size
    assert image_size(tmp_path / name) == size


@pytest.mark.parametrize("how", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp"])
def test_every_way_to_hold_a_camera(tmp_path: Path, how: int, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = how
    options = {"lossless": True} if name.endswith("webp") else {"quality": 100, "subsampling": 0}
    if name.endswith(("png", "tif")):
        options = {}
    Image.fromarray(SMOOTH).save(tmp_path / name, exif=exif, **options)
    upright = {
        1: SMOOTH,
        2: SMOOTH[:, ::-1],
        3: SMOOTH[::-1, ::-1],
        4: SMOOTH[::-1],
        5: SMOOTH.transpose(1, 0, 2),
        6: np.rot90(SMOOTH, -1),
        7: SMOOTH[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(SMOOTH),
    }[how]
    found = read_image(tmp_path / name)
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).max() <= (6 if name.endswith("jpg") else 0)
    assert image_size(tmp_path / name) == upright.shape[:2]


def test_exif_behind_the_pixels_of_a_png_and_damaged_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(SMOOTH).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
    (tmp_path / "a.png").write_bytes(data[:-12] + chunk + data[-12:])
    assert image_size(tmp_path / "a.png") == read_image(tmp_path / "a.png").shape[:2] == (64, 48)
    Image.fromarray(SMOOTH).save(tmp_path / "d.jpg", exif=b"Exif\0\0" + bytes(range(60)))
    assert image_size(tmp_path / "d.jpg") == read_image(tmp_path / "d.jpg").shape[:2] == (48, 64)


KINDS = [
    ("a.jpg", {"quality": 95}),
    ("a.jpg", {"quality": 95, "progressive": True}),
    ("a.png", {}),
    ("a.gif", {}),
    ("a.bmp", {}),
    ("a.webp", {"lossless": True}),
    ("a.webp", {}),
    ("a.tif", {}),
    ("a.tif", {"compression": "tiff_lzw"}),
    ("a.tif", {"compression": "jpeg"}),
    ("a.ppm", {}),
]


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_a_file_cut_short_is_never_half_an_image(tmp_path: Path, name: str, options: dict) -> None:
    picture = Image.fromarray(np.tile(SMOOTH, (3, 3, 1)))
    picture.save(tmp_path / name, **options)
    whole, data = read_image(tmp_path / name), (tmp_path / name).read_bytes()
    refused = 0
    for length in [*range(0, len(data), max(1, len(data) // 60)), *range(len(data) - 12, len(data))]:
        (tmp_path / name).write_bytes(data[:length])
        try:
            found = read_image(tmp_path / name)
        except SipError:
            refused += 1
        else:
            np.testing.assert_array_equal(found, whole, err_msg=f"cut to {length} of {len(data)}")
    assert refused > 55


HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>"
ISO = b"\0\0\0\x18ftyp%s\0\0\0\0mif1" + bytes(300)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"just some words\n", "is text"),
        ("Müller schreibt".encode(), "is text"),
        (HTML, "is a web page"),
        (b"\xef\xbb\xbf  <HTML><body>", "is a web page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', r"drawing \(SVG\)"),
        (ISO % b"heic", "HEIC picture"),
        (ISO % b"mif1", "HEIF picture"),
        (b"\xff\x0a" + bytes(100), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS\0\1" + bytes(50), "Photoshop"),
        (b"%PDF-1.7\n", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"PK\x03\x04", "archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
        (bytes(5000), "nothing but zeros"),
        (b"\x01\x02\x03\xff\xfe" * 30, "its beginning is damaged"),
    ],
)
def test_one_sentence_for_every_kind_that_is_none(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    for act in (read_image, image_size):
        with pytest.raises(SipError, match=words) as caught:
            act(path)
        assert str(path) in str(caught.value)
        assert ("; " in str(caught.value)) or (": " in str(caught.value))


def test_links_in_a_circle_folders_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "b.jpg")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "c.jpg").mkdir()
    os.mkfifo(tmp_path / "d.jpg")
    for name, words in (("a.jpg", "symbolic links"), ("c.jpg", "directory"), ("d.jpg", "no plain file")):
        with pytest.raises(SipError, match=words):
            read_image(tmp_path / name)
    with pytest.raises(SipError, match="symbolic links"):
        image_size(tmp_path / "a.jpg")


def test_odd_names(tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe \n'.png")
    Image.fromarray(SMOOTH).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(odd)
    np.testing.assert_array_equal(read_image(odd), SMOOTH)


def test_bombs_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    for name, size in (("a.png", (9000, 9000)), ("b.png", (60000, 60000))):
        png(tmp_path / name, 8, 0, np.zeros((1, 1), np.uint8))
        data = bytearray((tmp_path / name).read_bytes())
        data[16:24] = struct.pack(">II", *size)
        data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SipError, match="at once; make it smaller"):
            read_image(tmp_path / name)


def test_pictures_are_read_in_several_threads(tmp_path: Path) -> None:
    Image.fromarray(SMOOTH).save(tmp_path / "a.png")
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(read_image(tmp_path / "a.png"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(np.array_equal(pixels, SMOOTH) for pixels in found)
