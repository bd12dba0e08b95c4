"""Log-likelihood per class as bars that share one scale: nats below the best class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sip_explorer.qt.theme import colour


class LikelihoodBars(QWidget):
    """One row per class, likeliest first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Log-likelihood of the image under each class")
        self._classes: tuple[str, ...] = ()
        self._values: NDArray[np.float64] = np.empty(0)
        self._label: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_values(self, classes: tuple[str, ...], nats: NDArray[np.float64], label: int | None) -> None:
        """Show log p(x|c) in nats, (classes,); ``label`` is the true class, set in bold."""
        self._classes, self._values, self._label = classes, nats, label
        text = ", ".join(f"{classes[i]} {nats[i]:.1f} nats" for i in np.argsort(-nats)[:3])
        self.setAccessibleDescription(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, (self.fontMetrics().height() + 4) * len(self._classes))

    def paintEvent(self, event: QPaintEvent) -> None:
        if not len(self._values):
            return
        painter = QPainter(self)
        metrics = self.fontMetrics()
        height = metrics.height() + 4
        names = max(metrics.horizontalAdvance(name) for name in self._classes) + 8
        numbers = metrics.horizontalAdvance("−88888.8") + 4
        best = float(self._values.max())
        reach = max(best - float(self._values.min()), 1e-9)
        for row, index in enumerate(np.argsort(-self._values, kind="stable")):
            below = best - float(self._values[index])
            top = row * height
            font = painter.font()
            font.setBold(int(index) == self._label)
            painter.setFont(font)
            painter.setPen(colour("text"))
            painter.drawText(
                QRectF(0, top, names, height), Qt.AlignmentFlag.AlignVCenter, self._classes[int(index)]
            )
            width = max(0.0, self.width() - names - numbers)
            bar = QRectF(names, top + height * 0.3, max(2.0, width * (1 - below / reach)), height * 0.4)
            painter.fillRect(bar, colour("accent" if row == 0 else "control"))
            painter.setPen(colour("muted"))
            text = f"{best:,.0f}".replace("-", "−") if row == 0 else f"−{below:.1f}"
            painter.drawText(
                QRectF(self.width() - numbers, top, numbers, height),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                text,
            )
