"""How far people agree, as figures, each with the images and people it is of; as sentences and tables."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sip_explorer.records import SipError, write_text


@dataclass(frozen=True)
class ImageAgreement:
    """One image.

    Attributes
    ----------
    image, name, label
        Its id, what people call it, and its class (-1: none).
    people
        How many painted it, or left it empty on purpose.
    iou, dice, spearman
        Means over all pairs of them; NaN for one person. Spearman's correlation is that of blurred masks; NaN
        where no pair has one (all masks empty, or full).
    dispute
        1 − iou: 0 where all agree, 1 where no two share a pixel; NaN for one person.
    model
        Spearman's correlation of the model's map with a person's blurred mask, mean over people, not divided
        by human alignment; NaN without a map.
    """

    image: int
    name: str
    label: int
    people: int
    iou: float
    dice: float
    spearman: float
    dispute: float
    model: float


@dataclass(frozen=True)
class ClassAgreement:
    """The images of one class that at least two people did; every image counts once.

    ``ranked`` images have a Spearman, which is the mean over them; ``model`` is as in `ImageAgreement`.
    """

    label: int
    name: str
    images: int
    people: int
    iou: float
    dice: float
    spearman: float
    ranked: int
    model: float


@dataclass(frozen=True)
class AnnotatorAgreement:
    """One person against all others who did the same images; every image counts once.

    ``model`` is over ``modelled`` images, those that nobody else did included.
    """

    annotator: int
    name: str
    images: int
    iou: float
    dice: float
    spearman: float
    ranked: int
    model: float
    modelled: int


@dataclass(frozen=True)
class PairAgreement:
    """Two people, by name, on the ``images`` that both did; ``ranked`` of them have a Spearman."""

    first: str
    second: str
    images: int
    iou: float
    dice: float
    spearman: float
    ranked: int


@dataclass(frozen=True)
class AgreementReport:
    """What `measure_agreement` found.

    How many people a figure is of stands beside it, as ``..._people``.

    Attributes
    ----------
    images
        In the order asked for: those that at least two people did; with a model's maps also those of one.
    classes, annotators, pairs
        Only those with images in common.
    people
        How many people did an image that someone else did too.
    alpha
        Krippendorff's alpha, nominal (protected or not), over the ``pixels`` of the shared images; NaN where
        all pixels are alike or no image is shared.
    human
        Human–human alignment: the mean over images of the mean Spearman over pairs; of ``ranked`` images.
    model
        Human–model alignment: the mean Spearman of model and people divided by human–human alignment, both
        over the ``compared`` images that have both. 1: the model agrees with people as they do with each
        other. NaN where people do not agree.
    model_spearman
        The same before it is divided, over all ``modelled`` images with a map.
    """

    images: list[ImageAgreement]
    classes: list[ClassAgreement]
    annotators: list[AnnotatorAgreement]
    pairs: list[PairAgreement]
    people: int
    iou: float
    dice: float
    alpha: float
    pixels: int
    human: float
    ranked: int
    ranked_people: int
    model: float
    compared: int
    compared_people: int
    model_spearman: float
    modelled: int
    modelled_people: int
    model_name: str = ""

    @property
    def shared(self) -> int:
        """How many images at least two people did."""
        return len(self.disputes)

    @property
    def disputes(self) -> dict[int, float]:
        """Image id -> dispute, of the images that at least two people did."""
        return {entry.image: entry.dispute for entry in self.images if entry.people > 1}

    def sentences(self) -> list[str]:
        """Return the figures of the whole set, one a line, each with what it is of."""
        lines = []
        if self.shared:
            of = _of(self.people, self.shared)
            lines.append(
                f"IoU {figure(self.iou)}, Dice {figure(self.dice)} (mean over pairs of people; {of})"
            )
            lines.append(
                f"Krippendorff's alpha {figure(self.alpha)} (protected or not; {of}, {self.pixels:,} pixels)"
            )
            without = self.shared - self.ranked
            left_out = f"; {without:,} without contrast left out" if without else ""
            lines.append(
                f"human–human alignment {figure(self.human)} (Spearman of blurred masks, mean over pairs; "
                f"{_of(self.ranked_people, self.ranked)}{left_out})"
            )
        name = self.model_name or "the model"
        if self.modelled:
            of = _of(self.modelled_people, self.modelled)
            lines.append(f"Spearman of {name} and people {figure(self.model_spearman)} ({of})")
            alignment = f"human–model alignment of {name}"
            if not self.compared:
                lines.append(f"{alignment} needs images that two people painted.")
            elif math.isnan(self.model):
                lines.append(
                    f"{alignment} is not known: people agree no better than by chance on these images."
                )
            else:
                of = _of(self.compared_people, self.compared)
                lines.append(f"{alignment} {figure(self.model)} (as a share of human–human alignment; {of})")
        return lines

    def to_csv(self, folder: Path | str) -> list[Path]:
        """Write agreement.csv and agreement-images, -classes, -people, -pairs.csv; return their paths.

        Accuracy: six digits; a figure that is not known stays empty.

        Raises
        ------
        SipError
            If they cannot be written.
        """
        whole = {
            _WHOLE.get(item.name, item.name): getattr(self, item.name)
            for item in fields(self)
            if item.name not in ("images", "classes", "annotators", "pairs")
        }
        tables: list[tuple[str, Sequence[str], Sequence[Any]]] = [
            ("agreement", ["images", *whole], [{"images": self.shared, **whole}]),
            ("agreement-images", _columns(ImageAgreement), [vars(row) for row in self.images]),
            ("agreement-classes", _columns(ClassAgreement), [vars(row) for row in self.classes]),
            ("agreement-people", _columns(AnnotatorAgreement), [vars(row) for row in self.annotators]),
            ("agreement-pairs", _columns(PairAgreement), [vars(row) for row in self.pairs]),
        ]
        written = []
        for name, columns, rows in tables:
            path = Path(folder) / f"{name}.csv"
            try:
                write_text(path, _table(columns, rows))
            except OSError as error:
                raise SipError(
                    f"The table {path} cannot be written ({error.strerror}): choose another folder."
                ) from error
            written.append(path)
        return written


_WHOLE = {"human": "human_alignment", "model": "model_alignment"}
"""Columns of the whole set whose names say more than the fields'."""


def figure(value: float) -> str:
    """Return two digits, or "not known"."""
    return "not known" if math.isnan(value) else f"{value:.2f}"


def _of(people: int, images: int) -> str:
    return f"{people:,} {'person' if people == 1 else 'people'}, {images:,} image{'' if images == 1 else 's'}"


def _columns(kind: type) -> list[str]:
    return [item.name for item in fields(kind)]


def _table(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model_spearman" if column == "model" else column for column in columns])
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.6g}"
