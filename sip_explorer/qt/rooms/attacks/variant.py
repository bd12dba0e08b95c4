"""What is attacked with, apart from epsilon and the batch size."""

from __future__ import annotations

from dataclasses import dataclass

from sip_explorer.qt.rooms.attacks.words import short_loss, short_step


@dataclass(frozen=True)
class Variant:
    """Loss, reduction, precision, step rule (as sweep files write it) and restarts of PGD."""

    loss: str
    reduction: str
    precision: str
    step: str = "sign"
    restarts: int = 1

    @property
    def words(self) -> str:
        """Short name for curves and lists."""
        restarts = f"{self.restarts} restarts" if self.restarts > 1 else ""
        loss = f"{short_loss(self.loss)} {self.reduction}"
        parts = (loss, self.precision, short_step(self.step), restarts)
        return ", ".join(part for part in parts if part)


def compared(step: str, restarts: int) -> tuple[Variant, ...]:
    """Return the paper's question: does the batch size matter, and for which loss and precision?"""
    return tuple(
        Variant(loss, reduction, precision, step, restarts)
        for loss, reduction in (("ce", "mean"), ("log-odds", "sum"))
        for precision in ("float32", "bfloat16")
    )
