"""The salience that an evaluation's regions are made from: object masks, painted masks, or those of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.records.run_salience import read_salience
from sip_explorer.records.runs import RunFolder
from sip_explorer.workspace.annotators import KINDS
from sip_explorer.workspace.pictures import resize

if TYPE_CHECKING:
    from sip_explorer.workspace.workspace import Workspace

SEGMENTATION, PAINTED = "segmentation", "painted"


@dataclass(frozen=True)
class RegionSalience:
    """Masks of images, salient where >= 128; zeros where an image has none.

    Attributes
    ----------
    masks : uint8 (N, H, W)
    source : what `region_salience` finds them by again.
    words : where they come from and of how many images they are.
    """

    masks: NDArray[np.uint8]
    source: str
    words: str


def region_salience(
    workspace: Workspace, ids: NDArray[np.int64], size: tuple[int, int], source: str = ""
) -> RegionSalience:
    """Return the masks of ``ids`` at ``size`` (height, width).

    Parameters
    ----------
    source
        ``segmentation``: the object masks that came with the data; ``painted:NAME``: what that annotator
        painted, ``painted`` the first who painted any of them; a run's name, folder or ``salience.h5``: what
        it trained on. Empty: the object masks if there are any, else what was painted.

    Raises
    ------
    SipError
        There is no such salience, or it has none of these images.
    """
    if source == SEGMENTATION:
        found, words = workspace.segmentations(ids, size), "object masks of the data set"
    elif source.partition(":")[0] == PAINTED:
        painter = _painter(workspace, ids, source.partition(":")[2])
        found, words = workspace.painted_masks(ids, painter), f"masks painted by {painter}"
        source = f"{PAINTED}:{painter}"
    elif source:
        path = _run_file(workspace, source)
        stored = read_salience(path)
        chosen = {int(one) for one in ids}
        pairs = zip(stored.ids, stored.masks, strict=True)
        found = {int(one): mask for one, mask in pairs if int(one) in chosen}
        words = f"salience that the run {path.parent.name} trained on"
        source = str(path)
    elif workspace.segmented(ids):
        return region_salience(workspace, ids, size, SEGMENTATION)
    elif workspace.annotators(None):
        return region_salience(workspace, ids, size, PAINTED)
    else:
        found, words = {}, "salience"
    if not found:
        raise SipError(
            f"The workspace {workspace.name} has no {words} for these images: paint some of them, choose "
            "others, or give another salience."
        )
    masks = np.zeros((len(ids), *size), np.uint8)
    for place, image in enumerate(ids):
        if int(image) in found:
            masks[place] = resize(found[int(image)], size)
    return RegionSalience(masks, source, f"{words} ({len(found):,} of {len(ids):,} images)")


def _painter(workspace: Workspace, ids: NDArray[np.int64], name: str) -> str:
    # Of those who painted any, a person counts first, the agreed masks next, known answers last.
    everyone = sorted(workspace.annotators(None), key=lambda painter: KINDS.index(painter.kind))
    people = [painter.name for painter in everyone]
    if not people:
        raise SipError(f"Nobody has painted in the workspace {workspace.name}: paint some images first.")
    if name and name not in people:
        known = ", ".join(people)
        raise SipError(f"There is no annotator {name} in the workspace {workspace.name}; it has: {known}.")
    painters = (one for one in people if "painted" in workspace.states(ids, one))
    return name or next(painters, people[0])


def _run_file(workspace: Workspace, source: str) -> Path:
    folders = workspace.run_folders()
    # By what a run is called, of several the latest; by its folder's name always.
    runs = {RunFolder(run).name: run for run in folders} | {run.name: run for run in folders}
    path = runs.get(source, Path(source))
    path = RunFolder(path).salience_path if path.is_dir() else path
    if not path.is_file():
        raise SipError(
            f"There is no salience {source}: give segmentation, painted, painted:NAME, a run of the "
            "workspace, or the salience.h5 of a run."
        )
    return path
