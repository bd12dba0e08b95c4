"""A line that is cut says so and keeps the whole of it."""

from PySide6.QtWidgets import QLabel

from sip_explorer.qt.widgets.elided_label import ElidedLabel


def test_a_line_too_long_ends_in_an_ellipsis_and_tells_all(qtbot):
    label = ElidedLabel("Validation on 1,200 held-out images")
    qtbot.addWidget(label)
    label.resize(60, 20)
    label.show()
    assert QLabel.text(label).endswith("…")
    assert label.text() == label.toolTip() == "Validation on 1,200 held-out images"
    label.resize(600, 20)
    assert QLabel.text(label) == label.text()
    assert label.toolTip() == ""
