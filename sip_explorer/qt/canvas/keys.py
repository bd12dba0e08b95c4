"""Which of its acts a key event asks of the canvas."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from sip_explorer.state.key_actions import CANVAS, DRAWING, TOOLS
from sip_explorer.state.keymap import Keymap

_ALONE = {
    Qt.Key.Key_Shift: "Shift",
    Qt.Key.Key_Control: "Ctrl",
    Qt.Key.Key_Alt: "Alt",
    Qt.Key.Key_Meta: "Meta",
}
_WRITTEN = (
    (Qt.KeyboardModifier.MetaModifier, "Meta+"),
    (Qt.KeyboardModifier.ControlModifier, "Ctrl+"),
    (Qt.KeyboardModifier.AltModifier, "Alt+"),
    (Qt.KeyboardModifier.ShiftModifier, "Shift+"),
)
DEFAULT_KEYS = Keymap()


def action_of(event: QKeyEvent, keymap: Keymap = DEFAULT_KEYS, drawing: bool = False) -> str | None:
    """The act of the canvas that a key event stands for, if it stands for one.

    Parameters
    ----------
    event
        A press, a release, or the question whether a shortcut is to be overridden.
    keymap
        The keys; those that every program starts with, by default.
    drawing
        Whether a shape is under way, whose keys come first.
    """
    for text, only_held in _texts(event):
        name = keymap.action_of(text, drawing)
        if name is not None:
            action = keymap.action(name)
            if action.group in (TOOLS, CANVAS, DRAWING) and (action.held or not only_held):
                return name
    return None


def _texts(event: QKeyEvent) -> list[tuple[str, bool]]:
    """What the key may be called, the most exact first; and whether that is only good for held keys."""
    key = Qt.Key(event.key())
    if key in _ALONE:
        return [(_ALONE[key], False)]
    name = QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)
    if not name:
        return []
    modifiers = event.modifiers()
    typed = event.text()
    if len(typed) == 1 and typed == name and not typed.isalnum():
        # A sign that a keyboard writes with AltGr, which counts as Ctrl and Alt, or with Shift.
        return [(name, False)]
    full = "".join(word for flag, word in _WRITTEN if modifiers & flag) + name
    if not modifiers & Qt.KeyboardModifier.ShiftModifier:
        return [(full, False)]
    # Shift erases while it is held: a second held key (Space to pan) works beside it.
    without = "".join(word for flag, word in _WRITTEN[:-1] if modifiers & flag) + name
    sign = len(name) == 1 and not name.isalnum()
    return [(full, False), (without, not sign)]
