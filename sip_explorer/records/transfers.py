"""What a transfer found: whose adversarial examples fool whom, and its table for other programs."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records.atomic import write_text
from sip_explorer.records.intervals import wilson


@dataclass(frozen=True)
class TransferMatrix:
    """Whose examples fool whom; S sources and as many targets, in the order of ``models``.

    Attributes
    ----------
    models
        Names.
    success_per_image
        (S, S, N) bool: source, target, image. The target misclassifies the source's example, or the
        clean image already. The diagonal is the white-box attack.
    clean_correct
        (S, N) bool: the model classifies the clean image as its label.
    indices
        (N,) int64, image ids.
    norm, epsilon
        The ball of the attack.
    """

    models: tuple[str, ...]
    success_per_image: NDArray[np.bool_]
    clean_correct: NDArray[np.bool_]
    indices: NDArray[np.int64]
    norm: str
    epsilon: float

    @property
    def images(self) -> int:
        """Return how many images were attacked."""
        return len(self.indices)

    @property
    def success(self) -> NDArray[np.float64]:
        """Return the share of all images that succeed, (S, S), from source to target."""
        shares: NDArray[np.float64] = self.success_per_image.mean(2)
        return shares

    @property
    def both_right(self) -> NDArray[np.int64]:
        """Return how many clean images source and target both get right, (S, S)."""
        right = self.clean_correct.astype(np.int64)
        return right @ right.T

    @property
    def success_where_both_right(self) -> NDArray[np.float64]:
        """Return the share of those images that succeed, (S, S); NaN where there are none."""
        return np.where(
            self.both_right > 0, self._fooled_where_both_right / np.maximum(self.both_right, 1), np.nan
        )

    @property
    def _fooled_where_both_right(self) -> NDArray[np.int64]:
        both = self.clean_correct[:, None] & self.clean_correct[None]
        counts: NDArray[np.int64] = (self.success_per_image & both).sum(2)
        return counts

    def rows(self) -> list[dict[str, Any]]:
        """Return a row per source and target: shares, and Wilson's intervals of 95 %."""
        fooled, of_both = self.success_per_image.sum(2), self._fooled_where_both_right
        return [
            {
                "source": source,
                "target": target,
                "norm": self.norm,
                "epsilon": self.epsilon,
                **_share("", int(fooled[i, j]), self.images),
                **_share("_where_both_right", int(of_both[i, j]), int(self.both_right[i, j])),
            }
            for i, source in enumerate(self.models)
            for j, target in enumerate(self.models)
        ]


def write_transfer_table(path: Path | str, matrix: TransferMatrix) -> None:
    """Write `TransferMatrix.rows` as CSV, atomically; a share of no images stays empty."""
    rows, text = matrix.rows(), io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _share(which: str, successes: int, images: int) -> dict[str, Any]:
    low, high = wilson(successes, images)
    return {
        f"images{which}": images,
        f"success{which}": successes / images if images else None,
        f"low_95{which}": low,
        f"high_95{which}": high,
    }
