"""A workspace: a folder that holds images, masks, models, runs and sweeps."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sip_explorer.workspace.creation import create_workspace, packed_copy
from sip_explorer.workspace.folders import new_numbered_folder, numbered_folders
from sip_explorer.workspace.image_adding import ImageAdding
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.library_access import LibraryAccess
from sip_explorer.workspace.model_access import ModelAccess
from sip_explorer.workspace.models import ModelRegistry
from sip_explorer.workspace.new_images import NewImage
from sip_explorer.workspace.pictures import Pixels
from sip_explorer.workspace.proposal_access import ProposalAccess
from sip_explorer.workspace.relinking import Relinking


class Workspace(ProposalAccess, LibraryAccess, ImageAdding, Relinking, ModelAccess):
    """One open workspace; made by `create` or `open`, closed by `close`.

    Methods may be called from any thread; none of them reads or writes through torch, but
    `add_model`, which inspects the file.

    Attributes
    ----------
    path : Path
    name : str
    classes : tuple of str
        A label is an index into it.
    read_only : bool
        True where someone else holds the lock, or the medium or the caller wants it so.
    lock_holder : str
        One sentence that says why it is read-only, else empty.
    on_save_problem : callable or None
        Called from the writing thread with one sentence when a save fails, with "" when saving
        works again.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        super().__init__(path, read_only=read_only)
        self._registry = ModelRegistry(path, self.manifest.references)

    @classmethod
    def open(cls, path: Path | str, read_only: bool = False) -> Self:
        """Open a workspace folder; a second opener gets it read-only.

        Raises
        ------
        SipError
            If the folder is no workspace, damaged, or of a newer format.
        """
        return cls(Path(path).absolute(), read_only=read_only)

    @classmethod
    def create(
        cls,
        path: Path | str,
        name: str,
        classes: Sequence[str] = (),
        images: Iterable[NewImage] = (),
        *,
        packed: Path | None = None,
        collections: Mapping[str, Ids] | None = None,
    ) -> Self:
        """Make a workspace at ``path`` (new or empty) in one step, and open it.

        Parameters
        ----------
        images : iterable of NewImage
            Their ids are 0, 1, 2, ... in this order.
        packed : Path, optional
            A packed image file, copied to ``images.h5``.
        collections : mapping of name -> ids, optional

        Raises
        ------
        SipError
            If the folder is not empty or cannot be made.
        """
        target = Path(path).absolute()
        create_workspace(target, name, classes, images, packed=packed, collections=collections)
        return cls.open(target)

    @classmethod
    def from_arrays(
        cls,
        path: Path | str,
        name: str,
        images: Pixels,
        labels: NDArray[np.integer],
        classes: Sequence[str],
        *,
        test: NDArray[np.bool_] | None = None,
        collections: Mapping[str, Ids] | None = None,
    ) -> Self:
        """Make a workspace of packed images (uint8 NHWC, one size) and open it.

        ``test`` marks the test split; None puts every image in the training split.
        """
        with packed_copy(images, labels, classes, test) as (packed, listed):
            return cls.create(path, name, classes, listed, packed=packed, collections=collections)

    def notices(self) -> list[str]:
        """Return one sentence for each thing that is missing and that the program does without."""
        return self._registry.notices()

    def new_run_folder(self, name: str) -> Path:
        """Make and return an empty folder for a training run."""
        return new_numbered_folder(self.path / "runs", name)

    def run_folders(self) -> list[Path]:
        """Return the folders of training runs, oldest first."""
        return numbered_folders(self.path / "runs")

    def new_sweep_folder(self, name: str) -> Path:
        """Make and return an empty folder for a sweep."""
        return new_numbered_folder(self.path / "sweeps", name)

    def sweep_folders(self) -> list[Path]:
        """Return the folders of sweeps, oldest first."""
        return numbered_folders(self.path / "sweeps")

    def new_evaluation_folder(self, name: str) -> Path:
        """Make and return an empty folder for an evaluation by standard attacks."""
        return new_numbered_folder(self.path / "evaluations", name)

    def evaluation_folders(self) -> list[Path]:
        """Return the folders of evaluations, oldest first."""
        return numbered_folders(self.path / "evaluations")

    def new_transfer_folder(self, name: str) -> Path:
        """Make and return an empty folder for the examples of models tried on each other."""
        return new_numbered_folder(self.path / "transfers", name)

    def transfer_folders(self) -> list[Path]:
        """Return the folders of transfers, oldest first."""
        return numbered_folders(self.path / "transfers")
