"""The list of models says of each what its file says, and the card follows the selection."""

import json
import struct

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest


def write_model(path, about):
    """A safetensors file that holds nothing but what it says of itself."""
    header = json.dumps({"__metadata__": {"sip_explorer": json.dumps(about)}}).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def test_models_are_listed_with_what_was_measured(open_window, shapes_path):
    about = {
        "kind": "classifier",
        "architecture": "small-cnn",
        "classes": ["a", "b"],
        "input_shape": [1, 28, 28],
    }
    origin = {"test_clean": "0.8710 of 2000 images", "validation_clean": "0.9 of 10 images"}
    write_model(shapes_path / "models" / "measured.safetensors", {**about, "origin": origin})
    write_model(shapes_path / "models" / "odd.safetensors", {**about, "origin": {"test_clean": "very good"}})
    window = open_window(shapes_path, "library")
    room = window.rooms["library"]
    room.segments.setCurrentIndex(1)
    table = room.models.table
    rows = [[table.topLevelItem(r).text(c) for c in range(5)] for r in range(table.topLevelItemCount())]
    assert rows == [
        ["measured", "small-cnn", "2", "a file", "87.1 % of 2,000 test images"],
        ["odd", "small-cnn", "2", "a file", ""],
    ]
    assert table.current == "models/measured.safetensors"
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Down)
    assert table.current == "models/odd.safetensors"
    (shapes_path / "models" / "odd.safetensors").unlink()
    window.session.refresh_models()
    assert table.topLevelItemCount() == 1
    assert table.current == "models/measured.safetensors"
    assert window.session.told == []
