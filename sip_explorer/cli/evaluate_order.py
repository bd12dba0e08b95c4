"""What a person asks ``evaluate`` for, whatever its mode."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.cli.attacked import Attacked, Ball, attacked, choose_images, load_models

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace


@dataclass(frozen=True)
class EvaluationOrder:
    """The options; None where one is not given."""

    models: Sequence[str]
    ball: Ball
    attacks: str | None
    images: int | None
    split: str | None
    seed: int
    device: str
    micro_batch: int | None
    batch_size: int | None
    out: Path | None
    table: Path | None
    keep_images: bool
    png: Path | None
    regions: str | None
    salience: str | None

    def attacked(self, workspace: "Workspace", count: int) -> Attacked:
        """Return the models on the images asked for, by default ``count`` of the test split."""
        ids = choose_images(workspace, self.split or "test", self.images or count)
        return attacked(workspace, load_models(workspace, self.models), ids, self.device)

    def words(self, subject: Attacked) -> str:
        """Return which images these are, and the norm."""
        return f"{len(subject.ids)} {self.split or 'test'} images, {self.ball.words}"
