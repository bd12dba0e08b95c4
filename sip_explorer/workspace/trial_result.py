"""What a trial of a checkpoint's settings found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sip_explorer.models.choice import Choice
from sip_explorer.models.class_names import match

if TYPE_CHECKING:
    from sip_explorer.models import Classifier


@dataclass(frozen=True)
class LoadedModel:
    """A checkpoint as it was loaded, before anything is tried.

    Attributes
    ----------
    architecture : str
    parameters : int
    classes : tuple of str
        One name per logit.
    classes_from : str
        Where the names come from, in words.
    known : int
        How many of the workspace's classes are among them by name.
    mean, std : tuple of float
        One per channel, in units of the [0, 1] image.
    normalisation : str
        The same in words.
    normalisation_from : str
        Where it comes from, in words.
    input_shape : (C, H, W)
    """

    architecture: str
    parameters: int
    classes: tuple[str, ...]
    classes_from: str
    known: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    normalisation: str
    normalisation_from: str
    input_shape: tuple[int, int, int]

    @classmethod
    def of(cls, loaded: Classifier, wanted: Sequence[str] = ()) -> Self:
        """Return what a classifier is; ``wanted``: the classes of the workspace."""
        return cls(
            architecture=loaded.architecture,
            parameters=sum(each.numel() for each in loaded.parameters()),
            classes=loaded.classes,
            classes_from=loaded.origin.get("classes", "named in the file"),
            known=sum(column >= 0 for column in match(loaded.classes, wanted)),
            mean=tuple(loaded.mean.flatten().tolist()),
            std=tuple(loaded.std.flatten().tolist()),
            normalisation=loaded.normalisation,
            normalisation_from=loaded.origin.get("normalisation", "as the file says"),
            input_shape=loaded.input_shape,
        )


@dataclass(frozen=True)
class TrialSetting:
    """One way to use a checkpoint.

    Attributes
    ----------
    choice : Choice
        Names everything that was tried, so that it can be kept as it is.
    normalisation, size, order : str
        In words: "ImageNet's: mean …", "224 × 224", "classes by name".
    """

    choice: Choice
    normalisation: str
    size: str
    order: str


@dataclass(frozen=True)
class TrialRow:
    """How one setting fared.

    Attributes
    ----------
    setting : TrialSetting
    right, total : int
        How many of how many images were classified right. A setting that was far behind after the first
        images was not tried on the others.
    likelihood : float
        Mean log-probability of the right class, in nats, at the temperature that suits the setting best:
        decides where two settings are right as often within chance.
    """

    setting: TrialSetting
    right: int
    total: int
    likelihood: float = 0.0


@dataclass(frozen=True)
class TrialResult:
    """What a trial found.

    Attributes
    ----------
    rows : tuple of TrialRow
        The proposed setting first, the others by accuracy; empty where nothing could be tried.
    images : str
        Which images, in words, such as "200 test images of Demo".
    proposal : Choice
        That of the first row; without rows what is assumed.
    reason : str
        A sentence: why this one, or why there are no rows.
    clear : bool
        Whether the proposed setting is better than every other beyond chance (McNemar's paired test at 5 %).
    """

    rows: tuple[TrialRow, ...]
    images: str
    proposal: Choice
    reason: str
    clear: bool
