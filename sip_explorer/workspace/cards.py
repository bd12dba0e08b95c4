"""What is known and was measured of one model file: kept in the workspace under the file's hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sip_explorer.models.choice import Choice
from sip_explorer.records import SipError
from sip_explorer.records.intervals import wilson

FORMAT = 1


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

    @property
    def words(self) -> str:
        """The accuracy with its 95 % Wilson interval, such as "87.4 % (84.2 to 90.0 %, 437 of 500)"."""
        if not self.total:
            return "not measured"
        low, high = wilson(self.right, self.total)
        return (
            f"{100 * self.right / self.total:.1f} % ({100 * low:.1f} to {100 * high:.1f} %, "
            f"{self.right} of {self.total})"
        )


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


def card_to_json(card: ModelCard) -> str:
    """Return a card as the text of its file."""
    document = {"format": FORMAT, **asdict(card), "choice": card.choice.to_json()}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def card_from_json(text: str) -> ModelCard:
    """Return what `card_to_json` wrote.

    Raises
    ------
    SipError
        The card was written by a newer program.
    ValueError
        The text is no card, or a damaged one.
    """
    try:
        document: Mapping[str, Any] = json.loads(text)
        version = int(document["format"])
        if version > FORMAT:
            raise SipError(
                f"its card has format {version} and this program knows up to {FORMAT}: open the workspace "
                "with a newer SIP Explorer"
            )
        return ModelCard(
            sha256=_text(document["sha256"]),
            choice=_choice(document["choice"]),
            reason=_text(document.get("reason", "")),
            source=_text(document.get("source", "")),
            licence=_text(document.get("licence", "")),
            notes=_text(document.get("notes", "")),
            added=float(document.get("added", 0.0)),
            measured=tuple(_measured(values) for values in document.get("measured", ())),
            checks=tuple(_check(values) for values in document.get("checks", ())),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no card ({error})") from error


def _choice(values: Any) -> Choice:
    try:
        return Choice.from_json(values)
    except SipError as error:
        raise ValueError(str(error)) from error


def _measured(values: Mapping[str, Any]) -> Measured:
    right, total = int(values["right"]), int(values["total"])
    if not 0 <= right <= total:
        raise ValueError(f"{right} right of {total}")
    return Measured(
        what=_text(values["what"]),
        epsilon=float(values["epsilon"]),
        right=right,
        total=total,
        images=_text(values["images"]),
        at=float(values["at"]),
    )


def _check(values: Mapping[str, Any]) -> Check:
    return Check(_text(values["name"]), values["passed"] is True, _text(values["sentence"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a word that is no text")
    return value
