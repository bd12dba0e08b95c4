"""What a trial of a checkpoint's settings found."""

from dataclasses import dataclass

from sip_explorer.models.choice import Choice


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
