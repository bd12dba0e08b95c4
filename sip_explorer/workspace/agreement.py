"""The job that measures how far people agree on the images they share, and a model with them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started
from sip_explorer.salience.agreement import Comparison, ProtectedCounts, mean_known, pairs_of, share_of
from sip_explorer.workspace.agreement_report import (
    AgreementReport,
    AnnotatorAgreement,
    ClassAgreement,
    ImageAgreement,
    PairAgreement,
)

if TYPE_CHECKING:
    from sip_explorer.workspace.annotators import Annotator
    from sip_explorer.workspace.image_index import Ids
    from sip_explorer.workspace.workspace import Workspace

__all__ = [
    "AgreementReport", "AnnotatorAgreement", "ClassAgreement", "ImageAgreement", "PairAgreement",
    "measure_agreement",
]  # fmt: skip

_BREATH_SECONDS = 0.03
_WIDEST = 4096
_PIXELS_AT_ONCE = 1 << 26  # of masks in memory

Map = NDArray[np.uint8]


def measure_agreement(
    workspace: Workspace,
    ids: Ids,
    annotators: Sequence[int | str],
    token: CancelToken,
    *,
    sigma: float | None = None,
    model_maps: Mapping[int, Map] | None = None,
    model_name: str = "",
) -> Iterator[Event | None]:
    """Compare the masks of each image that at least two of ``annotators`` painted or left empty on purpose.

    A stop keeps the figures of the images done so far. No shared image is no fault: the report is empty.

    Parameters
    ----------
    annotators
        By id or name.
    sigma
        Of the blur before Spearman's correlation, in pixels of each image; by default a share of its shorter
        side (`salience.blurred_maps.SIGMA_SHARE`).
    model_maps
        Image id -> where a model looks, uint8 of any size.

    Yields
    ------
    Started, Progress; then Artefact("agreement", data=`AgreementReport`) and Finished, whose summary has
    ``images`` and ``people``.

    Raises
    ------
    SipError
        If an image or an annotator is unknown, or sigma is not within 0 and 4,096.
    """
    if sigma is not None and not 0 <= sigma <= _WIDEST:
        raise SipError(f"The blur's sigma is {sigma} pixels: give a number from 0 to {_WIDEST:,}.")
    maps = model_maps or {}
    people = _people(workspace, annotators)
    chosen = _chosen(workspace, ids, people, maps)
    yield Started(f"agreement on {len(chosen):,} images", len(chosen))
    tally = _Tally(workspace, people, model_name)
    breath, done = time.monotonic(), 0
    for part in _parts(workspace, chosen, len(people)):
        for image, masks in workspace.all_masks(part, [person.id for person in people]):
            token.check()
            if token.stopping:
                break
            compared = Comparison(sigma, maps.get(image))
            for mask in masks.values():
                compared.add(mask)
                if time.monotonic() - breath > _BREATH_SECONDS:
                    breath = time.monotonic()
                    yield Progress(done, len(chosen), "Comparing masks")
            tally.add(image, list(masks), compared)
            done += 1
    report = tally.report()
    yield Progress(len(chosen), len(chosen), "Comparing masks")
    yield Artefact("agreement", data=report)
    yield Finished(
        "stopped" if token.stopping else "completed", {"images": report.shared, "people": report.people}
    )


def _people(workspace: Workspace, wanted: Sequence[int | str]) -> list[Annotator]:
    """Return the annotators who are wanted, each once; `SipError` where there is no such one."""
    found: dict[int, Annotator] = {}
    everyone = workspace.annotators(None)
    for one in wanted:
        fits = [person for person in everyone if one in (person.id, person.name)]
        if not fits:
            names = ", ".join(person.name for person in everyone) or "nobody yet"
            raise SipError(f"There is no annotator {one} in the workspace {workspace.name}; it has: {names}.")
        found[fits[0].id] = fits[0]
    return list(found.values())


def _chosen(
    workspace: Workspace, ids: Ids, people: Sequence[Annotator], maps: Mapping[int, Map]
) -> NDArray[np.int64]:
    """Return the images, each once, that two people did; where there is a map, one."""
    listed = np.array(list(dict.fromkeys(int(image) for image in ids)), np.int64)
    counts = np.zeros(len(listed), np.int64)
    for person in people:
        counts += [state in ("painted", "empty") for state in workspace.states(listed, person.id)]
    least = np.array([1 if image in maps else 2 for image in listed.tolist()], np.int64)
    return listed[counts >= least]


def _parts(workspace: Workspace, ids: NDArray[np.int64], people: int) -> Iterator[NDArray[np.int64]]:
    """Cut ``ids`` so that the masks of a part fit into memory."""
    if len(ids):
        pixels = np.cumsum(workspace.image_shapes(ids)[:, :2].prod(axis=1) * max(1, people))
        part_of = pixels // _PIXELS_AT_ONCE
        yield from np.split(ids, np.flatnonzero(np.diff(part_of)) + 1)


class _Tally:
    """What was found so far: (iou, dice, spearman) of every image, person and pair."""

    def __init__(self, workspace: Workspace, people: Sequence[Annotator], model_name: str) -> None:
        self._workspace, self._people, self._model_name = workspace, people, model_name
        self._images: list[ImageAgreement] = []
        self._counts = ProtectedCounts()
        self._pixels = 0
        self._of_person: dict[int, list[_Figures]] = {person.id: [] for person in people}
        self._of_pair: dict[tuple[int, int], list[_Figures]] = {}
        self._of_model: dict[int, list[float]] = {person.id: [] for person in people}
        self._painters: dict[int, list[int]] = {}  # image -> who did it

    def add(self, image: int, people: list[int], compared: Comparison) -> None:
        """Add one image, whose masks are those of ``people`` (ids) in this order."""
        matrices = compared.iou, compared.dice, compared.spearman
        iou, dice, spearman = (mean_known(pairs_of(matrix)) for matrix in matrices)
        label = int(self._workspace.labels([image])[0])
        name, model = self._workspace.image_name(image), mean_known(compared.model)
        entry = ImageAgreement(image, name, label, len(people), iou, dice, spearman, 1 - iou, model)
        self._images.append(entry)
        self._painters[image] = people
        for person, value in zip(
            people, compared.model.tolist(), strict=False
        ):  # without a map there is none
            self._of_model[person].append(value)
        if len(people) < 2:
            return
        self._counts.add(compared)
        self._pixels += compared.pixels
        for row, person in enumerate(people):
            others = [np.delete(matrix[row], row) for matrix in matrices]
            self._of_person[person].append(tuple(mean_known(values) for values in others))
            for column in range(row):
                pair = people[column], person
                self._of_pair.setdefault(pair, []).append(tuple(float(m[row, column]) for m in matrices))

    def report(self) -> AgreementReport:
        """Return the figures of what was added."""
        shared = [entry for entry in self._images if entry.people > 1]
        both = [entry for entry in shared if not math.isnan(entry.spearman + entry.model)]
        human = _means([(entry.iou, entry.dice, entry.spearman) for entry in shared])
        ranked = [entry for entry in shared if not math.isnan(entry.spearman)]
        modelled = [entry for entry in self._images if not math.isnan(entry.model)]
        return AgreementReport(
            images=self._images,
            classes=[self._class(label, shared) for label in sorted({entry.label for entry in shared})],
            annotators=[
                AnnotatorAgreement(
                    person.id,
                    person.name,
                    *_row(self._of_person[person.id]),
                    model=mean_known(self._of_model[person.id]),
                    modelled=int(np.count_nonzero(~np.isnan(self._of_model[person.id]))),
                )
                for person in self._people
                if self._of_person[person.id] or self._of_model[person.id]
            ],
            pairs=self._pairs(),
            people=self._count(shared),
            iou=human[0],
            dice=human[1],
            alpha=self._counts.alpha,
            pixels=self._pixels,
            human=human[2],
            ranked=len(ranked),
            ranked_people=self._count(ranked),
            model=share_of(
                mean_known([entry.model for entry in both]), mean_known([entry.spearman for entry in both])
            ),
            compared=len(both),
            compared_people=self._count(both),
            model_spearman=mean_known([entry.model for entry in modelled]),
            modelled=len(modelled),
            modelled_people=self._count(modelled),
            model_name=self._model_name,
        )

    def _count(self, entries: Sequence[ImageAgreement]) -> int:
        """Return how many people did one of these images."""
        return len({person for entry in entries for person in self._painters[entry.image]})

    def _class(self, label: int, shared: list[ImageAgreement]) -> ClassAgreement:
        own = [entry for entry in shared if entry.label == label]
        name = self._workspace.classes[label] if label >= 0 else "no class"
        iou, dice, spearman, ranked = _means([(entry.iou, entry.dice, entry.spearman) for entry in own])
        model = mean_known([entry.model for entry in own])
        return ClassAgreement(label, name, len(own), self._count(own), iou, dice, spearman, ranked, model)

    def _pairs(self) -> list[PairAgreement]:
        place = {person.id: row for row, person in enumerate(self._people)}
        pairs = sorted(self._of_pair, key=lambda pair: (place[pair[0]], place[pair[1]]))
        return [
            PairAgreement(
                self._people[place[first]].name,
                self._people[place[second]].name,
                *_row(self._of_pair[first, second]),
            )
            for first, second in pairs
        ]


_Figures = tuple[float, ...]  # iou, dice, spearman


def _means(figures: Sequence[_Figures]) -> tuple[float, float, float, int]:
    """Return the means, and how many have a Spearman."""
    table = np.array(figures, np.float64).reshape(-1, 3)
    iou, dice, spearman = (mean_known(table[:, column]) for column in range(3))
    return iou, dice, spearman, int(np.count_nonzero(~np.isnan(table[:, 2])))


def _row(figures: Sequence[_Figures]) -> tuple[int, float, float, float, int]:
    """Return how many there are, then `_means`."""
    return len(figures), *_means(figures)
