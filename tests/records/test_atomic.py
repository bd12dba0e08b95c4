"""A file is whole or absent, and a target that cannot be one is told at once."""

import pytest

from sip_explorer.records import SipError, atomic_path, write_text


def test_what_stood_there_stays_when_writing_fails(tmp_path):
    path = tmp_path / "deep" / "notes.txt"
    write_text(path, "first")

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise KeyError("half-way")

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_is_no_target(tmp_path):
    with pytest.raises(SipError, match="is a folder: give the name of a file in it"):
        write_text(tmp_path, "anything")
    assert list(tmp_path.glob(".*.tmp")) == []
