"""Where a reference model looks, for many images: computed once, and kept with the model's hash."""

import copy
import hashlib
import time
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sip_explorer.attacks.claim import digest
from sip_explorer.attacks.memory import with_less_memory
from sip_explorer.attacks.pace import rows_at_once
from sip_explorer.data.fitting import fit_images
from sip_explorer.models import Classifier
from sip_explorer.records import CancelToken, Event, Notice, Progress, SipError
from sip_explorer.records.salience_maps import KEY_BYTES, read_maps, write_maps
from sip_explorer.salience import grad_cam, grad_cam_layers, layer_named
from sip_explorer.salience.integratedgradients import as_salience, attribute

Maps = npt.NDArray[np.uint8]

VERSION = 1
"""Part of every key: maps that were made in another way are computed again."""

MAP_NAMES = {"grad-cam": "Grad-CAM", "integrated-gradients": "integrated gradients"}

_STEPS = 32
_MOST_AT_ONCE = 64
_A_BREATH = 8  # a pass that lets a cancel be heard in 0.3 s is cut so often for those who wait meanwhile
_PER_FILE = 1024
_BYTES_PER_FILE = 4 << 20
_SECONDS_PER_FILE = 60.0
_HASHED_AT_ONCE = 16 << 20


class MapSource(NamedTuple):
    """A model and how it is asked.

    Attributes
    ----------
    model
        Any device; it is left as it was.
    method
        "grad-cam" or "integrated-gradients".
    layer
        Name of Grad-CAM's layer, else "".
    hash
        Sixteen hexadecimal digits of the model (`model_hash`).
    """

    model: Classifier
    method: str
    layer: str
    hash: str

    @classmethod
    def of(cls, model: Classifier, method: str, layer: str = "") -> "MapSource":
        """Return the source; an empty ``layer`` is the last one of at least 4 x 4 positions.

        Raises
        ------
        SipError
            If the model has no such layer.
        """
        if method == "grad-cam":
            stages = grad_cam_layers(model, model.input_shape)
            if layer:
                layer_named(model, layer)
            elif stages:
                layer = stages[-1].name
            else:
                _, height, width = model.input_shape
                raise SipError(
                    f"The reference model ({model.architecture}) has no layer of at least 4 x 4 positions at "
                    f"{width} x {height} pixels, so Grad-CAM cannot say where it looks: choose a "
                    "convolutional model, or salience 'integrated-gradients'."
                )
        return cls(model, method, layer, model_hash(model))

    @property
    def title(self) -> str:
        """What a run's records call it: "grad-cam: fashion-standard (0123456789abcdef, features)"."""
        name = self.model.origin.get("name") or self.model.architecture
        return f"{self.method}: {name} ({self.hash}{', ' if self.layer else ''}{self.layer})"

    @property
    def folder_name(self) -> str:
        """The folder of its maps within a maps folder."""
        how = self.layer or f"{_STEPS}-steps"
        return f"{self.method}-{self.hash}-{how}"


def model_hash(model: Classifier) -> str:
    """Return sixteen hexadecimal digits that follow from architecture, input size and every weight."""
    state = model.state_dict()
    told = repr((model.architecture, model.input_shape, list(state), digest(*state.values())))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def salience_maps(
    source: MapSource,
    images: npt.NDArray[np.uint8],
    targets: npt.NDArray[np.int64],
    *,
    folder: Path,
    device: torch.device,
    token: CancelToken,
    micro_batch: int | None = None,
) -> Generator[Event | None, None, Maps]:
    """Return the maps of ``images``, read from ``folder`` where it holds them, else computed and kept.

    What was computed is on disk at least once a minute, so a run that was killed goes on from there.

    Parameters
    ----------
    source
        Who is asked, and how.
    images
        uint8 (N, H, W, C); brought to the model's size and channels.
    targets
        int64 (N,): the class of the model that each map explains.
    folder
        The maps folder, which may hold maps of many models; made when it is first written to.
    device
        Where the maps are computed.
    micro_batch
        Images per pass; None: few, so that whoever waits for the device meanwhile waits little.

    Returns
    -------
    uint8 (N, H, W) at the size of the model's input, 0..255; all zeros where the map is constant.
    """
    own = folder / source.folder_name
    maps = np.zeros((len(images), *source.model.input_shape[1:]), np.uint8)
    keys = yield from _keys(images, targets, token)
    row_of = {key: row for row, key in enumerate(keys)}
    missing = dict(row_of)
    for rows in read_maps(own, row_of, maps):
        token.check()
        for row in rows:
            missing.pop(keys[row], None)
        yield None
    if missing:
        left = np.array(sorted(missing.values()))
        work = _Work(source, images, targets, keys, maps, left, own, device, token)
        yield from work.done(micro_batch)
    if len(row_of) < len(keys):  # an image that is there twice has one map
        return maps[[row_of[key] for key in keys]]
    return maps


def _keys(
    images: npt.NDArray[np.uint8], targets: npt.NDArray[np.int64], token: CancelToken
) -> Generator[None, None, list[bytes]]:
    keys, hashed = [], 0
    for image, target in zip(images, targets, strict=True):
        told = hashlib.blake2b(repr((VERSION, image.shape, int(target))).encode(), digest_size=KEY_BYTES)
        told.update(image.tobytes())
        keys.append(told.digest())
        hashed += image.nbytes
        if hashed > _HASHED_AT_ONCE:
            hashed = 0
            token.check()
            yield None
    return keys


class _Work:
    """The maps that are not on disk yet, computed in order and written in files."""

    def __init__(
        self,
        source: MapSource,
        images: npt.NDArray[np.uint8],
        targets: npt.NDArray[np.int64],
        keys: list[bytes],
        maps: Maps,
        rows: npt.NDArray[np.int64],
        folder: Path,
        device: torch.device,
        token: CancelToken,
    ) -> None:
        self._source, self._images, self._targets, self._keys = source, images, targets, keys
        self._maps, self._rows, self._folder, self._token = maps, rows, folder, token
        there = next(source.model.parameters()).device
        # someone else may be using the model where it is
        self._model = source.model if there == device else copy.deepcopy(source.model).to(device)
        self._device = device
        self._count = 0  # of rows that are done
        self._written = 0
        self._keeps = True
        self._per_file = min(_PER_FILE, max(1, _BYTES_PER_FILE // maps[0].size))

    def done(self, micro_batch: int | None) -> Generator[Event | None, None, None]:
        """Compute all."""
        if micro_batch is None:
            at_once = rows_at_once(self._model, self._source.model.input_shape, self._device) // _A_BREATH
            micro_batch = min(max(1, at_once), _MOST_AT_ONCE)
        yield from with_less_memory(
            self._compute,
            micro_batch,
            subject="the salience maps",
            refusal="The memory does not suffice for the salience map of a single image: choose a smaller "
            "reference model, or another device.",
            device=self._device,
        )

    def _compute(self, micro_batch: int) -> Generator[Event | None, None, None]:
        name, total = MAP_NAMES[self._source.method], len(self._rows)
        saved = time.monotonic()
        while self._count < total:
            self._token.check()
            rows = self._rows[self._count : self._count + micro_batch]
            found = yield from self._ask(rows, micro_batch)
            self._maps[rows] = (found[:, 0] * 255).round().to(torch.uint8).cpu().numpy()
            self._count += len(rows)
            late = time.monotonic() - saved > _SECONDS_PER_FILE
            if late or self._count - self._written >= self._per_file or self._count == total:
                yield from self._write()
                saved = time.monotonic()
            yield Progress(self._count, total, f"Salience maps: {name}")

    def _ask(self, rows: npt.NDArray[np.int64], micro_batch: int) -> Generator[None, None, Tensor]:
        images = fit_images(self._images[rows], self._model.input_shape).to(self._device)
        targets = torch.from_numpy(self._targets[rows]).to(self._device)
        if self._source.method == "grad-cam":
            layer = layer_named(self._model, self._source.layer)
            return grad_cam(self._model, images, targets, layer, micro_batch=micro_batch)
        passes = attribute(self._model, images, targets, steps=_STEPS, micro_batch=micro_batch)
        while True:
            try:
                next(passes)
            except StopIteration as finished:
                signed: Tensor = finished.value
                return as_salience(signed)
            self._token.check()
            yield None

    def _write(self) -> Generator[Event | None, None, None]:
        rows = self._rows[self._written : self._count]
        self._written = self._count
        if not self._keeps:
            return
        try:
            write_maps(self._folder, [self._keys[row] for row in rows], self._maps[rows])
        except OSError as error:  # the run needs the maps, not their file
            self._keeps = False
            yield Notice(
                f"The salience maps cannot be kept in {self._folder} ({error.strerror or error}): "
                "the next run computes them again."
            )
