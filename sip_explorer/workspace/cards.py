"""What is known and was measured of one model file: kept in the workspace under the file's hash."""

from __future__ import annotations

from dataclasses import dataclass, field

from sip_explorer.models.choice import Choice


@dataclass(frozen=True)
class Measured:
    """An accuracy that was measured here.

    Attributes
    ----------
    what : str
        "clean", or the attack in words, such as "PGD-20, L∞, log-odds".
    epsilon : float
        In units of the [0, 1] image; 0 for clean.
    right, total : int
        How many of how many images were classified right.
    images : str
        Which images, in words, such as "500 test images of Demo".
    at : float
        POSIX time.
    """

    what: str
    epsilon: float
    right: int
    total: int
    images: str
    at: float


@dataclass(frozen=True)
class Check:
    """One check of a model's sanity.

    Attributes
    ----------
    name : str
        Such as "deterministic".
    passed : bool
    sentence : str
        What was seen, with its number; where it failed, what to do.
    """

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True)
class ModelCard:
    """What a workspace knows of a model file beyond the file itself.

    Attributes
    ----------
    sha256 : str
        Of the file, in hexadecimal.
    choice : Choice
        What was chosen when it was added, or later.
    reason : str
        Why, in words: "best of 12 settings on 500 test images: 87.4 %" or "chosen by hand".
    source : str
        Where the file came from, for people: its path when it was added.
    licence : str
        Empty where it is not known.
    notes : str
        What a person wrote.
    added : float
        POSIX time.
    measured : tuple of Measured
        Newest last.
    checks : tuple of Check
        The last round.
    """

    sha256: str
    choice: Choice = field(default_factory=Choice)
    reason: str = ""
    source: str = ""
    licence: str = ""
    notes: str = ""
    added: float = 0.0
    measured: tuple[Measured, ...] = ()
    checks: tuple[Check, ...] = ()
