"""Which salience each training image carries: resolved once, at the start of a run, and written down."""

from collections import Counter
from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from sip_explorer.data.fitting import fit_labels
from sip_explorer.models import Classifier
from sip_explorer.records import CancelToken, Event, SipError
from sip_explorer.records.run_salience import LEFT_OUT, PART_BYTES, salience_parts, salience_writer
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.environment import resolve_device
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.recipe_declaration import MAP_SOURCES
from sip_explorer.training.salience_maps import MAP_NAMES, MapSource, salience_maps
from sip_explorer.training.training_data import TrainingData

Masks = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
Sources = npt.NDArray[np.object_]

_NAMES = {"painted": "painted", "segmentation": "segmented", "boxes": "in boxes", **MAP_NAMES}


@dataclass(frozen=True)
class ChosenSalience:
    """Masks of some images, and how many came from where.

    Attributes
    ----------
    masks
        uint8 (N, H, W): S = value / 255; zeros where an image carries no salience.
    counts
        Source ("painted", "segmentation", "boxes", "grad-cam", "integrated-gradients") -> number of
        images, for every source that was asked.
    left_out
        How many images had their salience left out on purpose.
    """

    masks: Masks
    counts: Mapping[str, int]
    left_out: int = 0

    @property
    def without(self) -> int:
        """How many images carry no salience because no source had any."""
        return len(self.masks) - sum(self.counts.values()) - self.left_out

    @property
    def sentence(self) -> str:
        """Say how many training images carry which salience."""
        parts = [f"{count} {_NAMES[source]}" for source, count in self.counts.items()]
        if self.left_out:
            parts.append(f"{self.left_out} left out on purpose")
        parts.append(f"{self.without} without")
        return f"Salience of the {len(self.masks)} training images: {', '.join(parts)}."


def choose_salience(
    recipe: Recipe,
    data: TrainingData,
    rows: Rows,
    run: RunFolder,
    reference: Classifier | None,
    token: CancelToken,
) -> Generator[Event | None, None, ChosenSalience]:
    """Resolve the salience of the images ``rows`` of ``data``, write salience.h5 and return it.

    The recipe's sources are asked in order; the first that has something for an image decides.
    Painted masks stand as they are (an image left empty on purpose counts as painted); a
    segmentation of zeros is none; boxes are filled with 1; maps are those of ``reference`` for the
    image's own label, and a constant map is no salience. Before any source is asked, the share
    ``recipe.unannotated`` of each class is left out (`left_out_images`). What the run folder already
    holds (a resumed run) is read, not computed again.

    Raises
    ------
    SipError
        Where the recipe asks for maps and there is no reference model, or it does not fit.
    """
    if run.salience_path.exists():
        return (yield from _read_back(recipe, data, rows, run, token))
    choice = _Choice(recipe, data, rows)
    for source in recipe.salience_sources:
        if source in MAP_SOURCES:
            yield from choice.take_maps(source, reference, run, token)
        else:
            yield from choice.take_given(source, token)
    yield from choice.write(run, token)
    return _counted(recipe, choice.masks, choice.sources)


def left_out_images(labels: Rows, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Return whose salience is left out: ``share`` of every class, to the nearest image.

    Parameters
    ----------
    labels
        int64 (N,).
    share
        0..1. For one seed a larger share takes the images of a smaller one, and more.
    seed
        Of the recipe; the draw is another than that of the held-out images.

    Returns
    -------
    bool (N,).
    """
    found = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        draw = np.random.default_rng([seed, int(label), 1])
        members = draw.permutation(np.flatnonzero(labels == label))
        found[members[: int(share * len(members) + 0.5)]] = True
    return found


class _Choice:
    """Masks and sources of a run's training images while they are gathered; "" is no source yet."""

    def __init__(self, recipe: Recipe, data: TrainingData, rows: Rows) -> None:
        self._recipe, self._data, self._rows = recipe, data, rows
        self._ids = data.ids[rows]
        self._step = max(1, PART_BYTES // int(np.prod(data.images.shape[1:3])))
        self.masks: Masks = np.zeros((len(rows), *data.images.shape[1:3]), np.uint8)
        self.sources: Sources = np.full(len(rows), "", object)
        if recipe.salience_sources:
            left_out = left_out_images(data.labels[rows], recipe.unannotated, recipe.seed)
            self.sources[left_out] = LEFT_OUT

    def take_given(self, source: str, token: CancelToken) -> Generator[None, None, None]:
        """Fill in what came with the data."""
        take = {
            "painted": self._take_painted,
            "segmentation": self._take_segmented,
            "boxes": self._take_boxes,
        }
        places = np.flatnonzero(self.sources == "")
        for start in range(0, len(places), self._step):
            token.check()
            take[source](places[start : start + self._step])
            yield None

    def _take_painted(self, places: Rows) -> None:
        for place, one in self._among(places, self._data.painted):
            self.masks[place] = self._data.painted[one]
            painter = self._data.painters.get(one, self._data.annotator)
            self.sources[place] = f"painted: {painter}" if painter else "painted"

    def _take_segmented(self, places: Rows) -> None:
        there = self._among(places, self._data.segmentations)
        for place, one in there:
            self.masks[place] = self._data.segmentations[one]
        filled = np.array([place for place, _ in there], np.int64)
        self.sources[filled[self.masks[filled].any(axis=(1, 2))]] = "segmentation"

    def _take_boxes(self, places: Rows) -> None:
        for place, one in self._among(places, self._data.boxes):
            for left, top, width, height in self._data.boxes[one]:
                across, down = (
                    slice(max(left, 0), max(left + width, 0)),
                    slice(max(top, 0), max(top + height, 0)),
                )
                self.masks[place, down, across] = 255
                self.sources[place] = "boxes"

    def _among(self, places: Rows, kept: Collection[int]) -> list[tuple[int, int]]:
        """Return place and id of the images that are among ``kept``."""
        pairs = zip(places.tolist(), self._ids[places].tolist(), strict=True)
        return [(place, one) for place, one in pairs if one in kept]

    def take_maps(
        self, source: str, reference: Classifier | None, run: RunFolder, token: CancelToken
    ) -> Generator[Event | None, None, None]:
        """Fill in what the reference model says."""
        places = np.flatnonzero(self.sources == "")
        if not len(places):
            return
        data, rows = self._data, self._rows[places]
        model = _fitting(reference, data, len(places), source)
        labels = data.labels[rows]
        if sorted(model.classes) == sorted(data.classes):  # else the names say nothing: by position
            labels = fit_labels(labels, data.classes, model.classes, "The reference model")
        asked = MapSource.of(model, source, self._recipe.salience_layer if source == "grad-cam" else "")
        maps = yield from salience_maps(
            asked,
            data.images[rows],
            labels,
            folder=data.maps_folder or run.path.parent / "salience_maps",
            device=resolve_device(self._recipe.device),
            token=token,
        )
        for start in range(0, len(places), self._step):
            token.check()
            found = _resized(maps[start : start + self._step], data.images.shape[1:3])
            has = found.any(axis=(1, 2))
            told = places[start : start + self._step][has]
            self.masks[told] = found[has]
            self.sources[told] = asked.title
            yield None

    def write(self, run: RunFolder, token: CancelToken) -> Generator[None, None, None]:
        """Write salience.h5."""
        told = np.flatnonzero(self.sources != "")
        with salience_writer(run.salience_path, self._data.images.shape[1:3]) as writer:
            for start in range(0, len(told), self._step):
                token.check()
                part = told[start : start + self._step]
                sources = self.sources[part].tolist()
                strokes = [
                    self._data.revisions.get(one, 0) if source.startswith("painted") else 0
                    for one, source in zip(self._ids[part].tolist(), sources, strict=True)
                ]
                writer.add(self._ids[part], sources, np.array(strokes, np.int64), self.masks[part])
                yield None


def _fitting(reference: Classifier | None, data: TrainingData, count: int, source: str) -> Classifier:
    if reference is None:
        raise SipError(
            f"{count} training images need salience from {MAP_NAMES[source]} but no reference model is "
            "chosen: choose a cleanly trained model, or another salience."
        )
    if len(reference.classes) != len(data.classes):
        raise SipError(
            f"The reference model knows {len(reference.classes)} classes but the images have "
            f"{len(data.classes)}: choose a model that was trained on these classes."
        )
    if reference.input_shape[0] != data.images.shape[3]:
        raise SipError(
            f"The reference model takes {reference.input_shape[0]}-channel images but these have "
            f"{data.images.shape[3]}: choose a model that was trained on such images."
        )
    return reference


def _resized(maps: Masks, size: tuple[int, int]) -> Masks:
    if maps.shape[1:] == size:
        return maps
    values = torch.from_numpy(maps)[:, None].float()
    values = F.interpolate(values, size, mode="bilinear", align_corners=False, antialias=True)
    return np.asarray(values[:, 0].round().clamp(0, 255).to(torch.uint8).numpy())


def _counted(recipe: Recipe, masks: Masks, sources: Sources) -> ChosenSalience:
    kinds: Counter[str] = Counter()
    for source, count in Counter(sources.tolist()).items():
        kinds[source.split(":", 1)[0]] += count
    counts = {source: kinds[source] for source in recipe.salience_sources}
    return ChosenSalience(masks, counts, kinds[LEFT_OUT])


def _read_back(
    recipe: Recipe, data: TrainingData, rows: Rows, run: RunFolder, token: CancelToken
) -> Generator[None, None, ChosenSalience]:
    size = data.images.shape[1:3]
    place_of = {one: place for place, one in enumerate(data.ids[rows].tolist())}
    masks = np.zeros((len(rows), *size), np.uint8)
    sources: Sources = np.full(len(rows), "", object)
    for stored in salience_parts(run.salience_path):
        token.check()
        if stored.masks.shape[1:] != size:
            height, width = stored.masks.shape[1:]
            raise SipError(
                f"{run.salience_path} holds masks of {width} x {height} pixels but the images have "
                f"{size[1]} x {size[0]}: resume the run with its own images, or start a new run."
            )
        there = [row for row, one in enumerate(stored.ids.tolist()) if one in place_of]
        places = [place_of[int(stored.ids[row])] for row in there]
        masks[places] = stored.masks[there]
        sources[places] = [stored.sources[row] for row in there]
        yield None
    return _counted(recipe, masks, sources)
