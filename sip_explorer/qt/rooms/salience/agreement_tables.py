"""The tables of an agreement report: which columns, in which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sip_explorer.qt.widgets.figure_table import Cell
from sip_explorer.workspace.agreement_report import AgreementReport

_IOU = ("IoU", "Salient pixels of both / of either; mean over pairs of people")
_DICE = ("Dice", "Twice the salient pixels of both / the sum of each one's; mean over pairs of people")
_SPEARMAN = ("Spearman", "Rank correlation of blurred masks; mean over pairs of people")
_MODEL = ("Model", "Rank correlation of the model's map with people's blurred masks, mean over people")
_IMAGES = ("Images", "Images that at least two people finished")
_RANKED = ("of images", "Images that have a Spearman: not all masks alike")


@dataclass(frozen=True)
class Table:
    """Headings with tool tips, rows, the column that sorts them, and what it is called."""

    name: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Cell]]
    sort: int


def tables(report: AgreementReport, classes: Sequence[str]) -> list[Table]:
    """Return the tables per image, class, person and pair; a model's column only where one was asked.

    ``classes``: their names; a label is an index into it.
    """
    asked = report.modelled > 0
    model = [_MODEL] if asked else []
    return [
        Table(
            "Images",
            [
                ("Image", "Click to compare the masks of an image"),
                ("Class", ""),
                ("People", "How many finished it"),
                ("Dispute", "1 − IoU: 0 where all agree, 1 where no two share a pixel"),
                _IOU,
                _DICE,
                _SPEARMAN,
                *model,
            ],
            [
                [
                    one.name,
                    classes[one.label] if 0 <= one.label < len(classes) else "no class",
                    one.people,
                    one.dispute,
                    one.iou,
                    one.dice,
                    one.spearman,
                    *([one.model] * asked),
                ]
                for one in report.images
            ],
            3,
        ),
        Table(
            "Classes",
            [("Class", ""), _IMAGES, _IOU, _DICE, _SPEARMAN, _RANKED, *model],
            [
                [one.name, one.images, one.iou, one.dice, one.spearman, one.ranked, *([one.model] * asked)]
                for one in report.classes
            ],
            0,
        ),
        Table(
            "People",
            [("Person", "Against all others"), _IMAGES, _IOU, _DICE, _SPEARMAN, _RANKED, *model],
            [
                [one.name, one.images, one.iou, one.dice, one.spearman, one.ranked, *([one.model] * asked)]
                for one in report.annotators
            ],
            0,
        ),
        Table(
            "Pairs",
            [("Two people", ""), ("Images", "Images that both finished"), _IOU, _DICE, _SPEARMAN, _RANKED],
            [
                [f"{one.first} – {one.second}", one.images, one.iou, one.dice, one.spearman, one.ranked]
                for one in report.pairs
            ],
            0,
        ),
    ]
