"""Every key of the canvas, in one table: to read, to show, and to change."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

Key = Qt.Key

KEYS: dict[str, tuple[tuple[Qt.Key, ...], str, str]] = {
    # action: (keys, how they are written, what they do)
    "brush": ((Key.Key_B,), "B", "Brush"),
    "eraser": ((Key.Key_E,), "E", "Eraser"),
    "smaller": ((Key.Key_BracketLeft,), "[", "Smaller brush (also Ctrl+wheel, Alt+drag)"),
    "larger": ((Key.Key_BracketRight,), "]", "Larger brush (also Ctrl+wheel, Alt+drag)"),
    "fit": ((Key.Key_0, Key.Key_F), "0 or F", "Fit the image to the window"),
    "zoom_in": ((Key.Key_Plus, Key.Key_Equal), "+", "Zoom in (also the wheel)"),
    "zoom_out": ((Key.Key_Minus,), "-", "Zoom out (also the wheel)"),
    "pan": ((Key.Key_Space,), "Space", "Hold and drag to move the image (also the middle button)"),
    "hide": ((Key.Key_H,), "H", "Hold to see the image without its salience"),
    "abort": ((Key.Key_Escape,), "Esc", "Take back the stroke under way"),
}


def action_of(event: QKeyEvent) -> str | None:
    """The action that a key event stands for, if it stands for one."""
    commands = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    commands |= Qt.KeyboardModifier.MetaModifier
    typed = event.text() in ("[", "]")  # some keyboards write them with AltGr, which counts as both
    if event.modifiers() & commands and not typed:
        return None
    return next((name for name, (keys, _, _) in KEYS.items() if event.key() in keys), None)
