"""What a person chose for a checkpoint beyond what its file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sip_explorer.records import SipError


@dataclass(frozen=True)
class Choice:
    """The arguments of `load_checkpoint`; what is left open (None) is found or assumed by it.

    Attributes
    ----------
    architecture : str or None
        A name of `architecture_names`, or ``package.module:Class`` with ``own_code``.
    weights : str or None
        Which of the file's state dicts: a name of `CheckpointInfo.variants`.
    classes : tuple of str or None
        One name per logit.
    normalisation : (mean, std) or None
        One float per channel each, in units of the [0, 1] image.
    input_shape : (C, H, W) or None
        The images that the network takes.
    own_code : bool
        Whether a person agreed that ``package.module`` is imported, that is, its code run.
    """

    architecture: str | None = None
    weights: str | None = None
    classes: tuple[str, ...] | None = None
    normalisation: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    input_shape: tuple[int, int, int] | None = None
    own_code: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `load_checkpoint`."""
        return dict(vars(self))

    def to_json(self) -> dict[str, Any]:
        """Return plain values that JSON knows; what is open is left out."""
        return {name: value for name, value in vars(self).items() if value not in (None, False)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return what `to_json` wrote; `SipError` where it is damaged."""
        try:
            classes, pair = values.get("classes"), values.get("normalisation")
            shape = values.get("input_shape")
            return cls(
                architecture=_text(values.get("architecture")),
                weights=_text(values.get("weights")),
                classes=None if classes is None else tuple(str(name) for name in classes),
                normalisation=None if pair is None else (_floats(pair[0]), _floats(pair[1])),
                input_shape=None if shape is None else (int(shape[0]), int(shape[1]), int(shape[2])),
                own_code=values.get("own_code") is True,
            )
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise SipError(f"The choice that was kept for this checkpoint is damaged ({error}).") from error


def _text(value: Any) -> str | None:
    if not isinstance(value, str | None):
        raise TypeError("a name that is no text")
    return value


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
