"""Which key does what: the defaults of `ACTIONS`, and what a person changed."""

from __future__ import annotations

from collections.abc import Sequence

from psygnal import Signal

from sip_explorer.records import SipError
from sip_explorer.state.key_actions import ACTIONS, DRAWING, GROUPS, KeyAction
from sip_explorer.state.key_names import key_text
from sip_explorer.state.settings import Settings

_SETTING = "keys"


class Keymap:
    """The keys of every action; changes are kept in the settings.

    A settings value that is damaged, or at odds with another, costs that action's own keys alone: it
    has its defaults again.

    Parameters
    ----------
    settings : Settings, optional
        Where changes are kept; without, they last as long as this.

    Signals
    -------
    changed()
        Some action has other keys.
    """

    changed = Signal()

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._actions = {action.id: action for action in ACTIONS}
        self._own: dict[str, tuple[str, ...]] = {}  # what differs from the defaults
        self._of: dict[tuple[bool, str], str] = {}
        if settings is not None:
            self._read(settings)
        self._index()

    def actions(self) -> tuple[KeyAction, ...]:
        """All actions, in the order in which they are shown."""
        return ACTIONS

    def action(self, action_id: str) -> KeyAction:
        """The action of an id; KeyError if there is none."""
        return self._actions[action_id]

    def keys(self, action_id: str) -> tuple[str, ...]:
        """The keys of an action as portable text, the first one shown; KeyError without such an action."""
        action = self._actions[action_id]
        return self._own.get(action_id, action.keys)

    def key(self, action_id: str) -> str:
        """The key that is shown for an action, empty where it has none."""
        return next(iter(self.keys(action_id)), "")

    def action_of(self, text: str, drawing: bool = False) -> str | None:
        """The action of a key.

        Parameters
        ----------
        text
            The key as portable text.
        drawing
            Whether a shape is under way, whose keys come first.
        """
        try:
            key = key_text(text)
        except SipError:
            return None
        return (self._of.get((True, key)) if drawing else None) or self._of.get((False, key))

    def is_default(self, action_id: str) -> bool:
        """Whether an action has the keys that it came with."""
        return action_id not in self._own

    def set(self, action_id: str, keys: Sequence[str]) -> None:
        """Give an action these keys instead of its own; none leaves it without.

        Raises
        ------
        SipError
            If one is no key, or does something else already; nothing changes then.
        """
        wanted = self._checked(action_id, keys)
        for key in wanted:
            other = self._of.get((self._draws(action_id), key))
            if other is not None and other != action_id:
                ours, theirs = self._actions[action_id].words, self._actions[other].words
                raise SipError(
                    f"{key} cannot be the key of “{ours}”, for it is the key of “{theirs}”: "
                    "give that another key first."
                )
        self._own[action_id] = wanted
        self._keep()

    def reset(self, action_id: str | None = None) -> None:
        """Give an action its default keys again, or all actions theirs.

        Raises
        ------
        SipError
            If another action has one of them by now.
        """
        if action_id is None:
            self._own.clear()
            self._keep()
        else:
            self.set(action_id, self._actions[action_id].keys)

    # ---- inside ---------------------------------------------------------------------------

    def _draws(self, action_id: str) -> bool:
        return self._actions[action_id].group == DRAWING

    def _checked(self, action_id: str, keys: Sequence[str]) -> tuple[str, ...]:
        if action_id not in self._actions:
            raise KeyError(action_id)
        return tuple(dict.fromkeys(key_text(key) for key in keys))

    def _read(self, settings: Settings) -> None:
        for action_id, keys in settings[_SETTING].items():
            if isinstance(keys, list) and all(isinstance(key, str) for key in keys):
                try:
                    self._own[action_id] = self._checked(action_id, keys)
                except (KeyError, SipError):
                    continue
        while (wrong := self._conflict()) is not None:
            del self._own[wrong]

    def _conflict(self) -> str | None:
        """A changed action one of whose keys does something else too. Defaults agree among themselves."""
        owner: dict[tuple[bool, str], str] = {}
        for action in ACTIONS:
            for key in self.keys(action.id):
                other = owner.setdefault((self._draws(action.id), key), action.id)
                if other != action.id:
                    return action.id if action.id in self._own else other
        return None

    def _index(self) -> None:
        self._of = {
            (self._draws(action.id), key): action.id for action in ACTIONS for key in self.keys(action.id)
        }

    def _keep(self) -> None:
        self._own = {name: keys for name, keys in self._own.items() if keys != self._actions[name].keys}
        self._index()
        if self._settings is not None:
            self._settings[_SETTING] = {name: list(keys) for name, keys in self._own.items()}
        self.changed.emit()


__all__ = ["ACTIONS", "GROUPS", "KeyAction", "Keymap", "key_text"]
