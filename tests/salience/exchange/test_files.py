"""The files of a folder that was made elsewhere."""

import contextlib
import os

import pytest

from sip_explorer.records import SipError
from sip_explorer.salience.exchange import Skipped, recognised
from sip_explorer.salience.exchange.files import files_in, is_within
from sip_explorer.salience.exchange.names import file_part, part_text


@contextlib.contextmanager
def closed(folder):
    """Take from everybody, root included, the right to look into ``folder``."""
    if os.name == "nt":
        pytest.skip("needs POSIX permissions")
    above = [parent for parent in folder.parents if parent.stat().st_uid == os.getuid()]
    modes = {path: path.stat().st_mode for path in [folder, *above]}
    for path, mode in modes.items():
        path.chmod(0 if path == folder else mode | 0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)


def test_a_closed_folder_is_said_and_the_rest_goes_on(tmp_path):
    for name in ("a/1.png", "b/2.PNG", "c/3.png", ".hidden/4.png", "5.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with closed(tmp_path / "b"):
        first, skipped, last = files_in(tmp_path, {".png"})
        with pytest.raises(PermissionError):
            list(files_in(tmp_path / "b", {".png"}))
    assert (first, last) == (tmp_path / "a" / "1.png", tmp_path / "c" / "3.png")
    assert isinstance(skipped, Skipped)
    assert skipped.sentence.startswith(f"{tmp_path / 'b'} cannot be opened (Permission denied)")
    assert len(list(files_in(tmp_path, {".png"}))) == 3


def test_links_that_lead_out_or_in_a_circle_lead_to_no_place_within(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "here").touch()
    for name, target in (("in", "here"), ("out", "../elsewhere"), ("round", "round")):
        (folder / name).symlink_to(target)
    assert [is_within(folder / name, folder) for name in ("here", "in", "out", "round")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_damaged_file_hides_no_others(tmp_path):
    (tmp_path / "0.json").write_text('{"shapes": [')
    (tmp_path / "1.json").write_text('{"shapes": []}')
    assert recognised(tmp_path).key == "labelme"
    (tmp_path / "1.json").unlink()
    with pytest.raises(SipError, match="holds no masks"):
        recognised(tmp_path)


@pytest.mark.parametrize("name", ["con", "NUL.png", "com1", "..", ".", "a/b", "50%", "x ", "", "cat", "é: ?"])
def test_every_system_takes_the_parts_of_paths(name):
    part = file_part(name)
    assert part.split(".")[0].lower() not in {"con", "nul", "com1", ""}
    assert not set(part) & set('/\\:?<>|*"')
    assert not part.endswith((".", " "))
    assert part_text(part) == name
