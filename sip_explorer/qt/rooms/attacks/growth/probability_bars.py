"""Class probabilities of the original and the adversarial image, as bars that share one scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sip_explorer.qt.theme import SERIES, colour

MOST = 10
"""Classes shown at most: the likeliest of either image."""


class ProbabilityBars(QWidget):
    """One row per class with two bars: above the original's probability, below the adversarial's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Class probabilities of the original and the adversarial image")
        self._classes: tuple[str, ...] = ()
        self._clean: NDArray[np.float32] = np.empty(0, np.float32)
        self._adversarial: NDArray[np.float32] = np.empty(0, np.float32)
        self._label = -1
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def set_probabilities(
        self,
        classes: tuple[str, ...],
        clean: NDArray[np.float32],
        adversarial: NDArray[np.float32],
        label: int,
    ) -> None:
        """Show probabilities in [0, 1], (classes,) each; ``label`` is the true class, in bold."""
        self._classes, self._clean, self._adversarial, self._label = classes, clean, adversarial, label
        top = int(adversarial.argmax())
        self.setAccessibleDescription(
            f"original {clean.max():.0%} {classes[int(clean.argmax())]}, "
            f"adversarial {adversarial[top]:.0%} {classes[top]}"
        )
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        height = self.fontMetrics().height()
        return QSize(self.minimumSizeHint().width(), (height + 2) * (min(MOST, len(self._classes)) + 1))

    def minimumSizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        names = max((metrics.horizontalAdvance(name) for name in self._classes), default=0)
        names = min(names, metrics.averageCharWidth() * 20)
        numbers = metrics.horizontalAdvance("100 %") + 8
        return QSize(names + 16 + numbers + round(3.5 * metrics.height()), 6 * metrics.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if not len(self._clean):
            return
        painter = QPainter(self)
        metrics = self.fontMetrics()
        likeliest = np.argsort(-np.maximum(self._clean, self._adversarial), kind="stable")[:MOST]
        # Classes keep the model's order, so that bars do not jump while the attack runs.
        shown = np.sort(likeliest)
        row_height = min(metrics.height() + 8.0, self.height() / (len(shown) + 1.2))
        bold = painter.font()
        bold.setBold(True)
        names = max(QFontMetrics(bold).horizontalAdvance(self._classes[i]) for i in shown) + 10
        # Both numbers where there is room; else the adversarial one, its bar says the other.
        both = self.width() - names >= 14 * metrics.height()
        numbers = metrics.horizontalAdvance("100 → 100 %" if both else "100 %") + 8
        width = max(10.0, self.width() - names - numbers)
        for row, index in enumerate(shown):
            top = row * row_height
            font = painter.font()
            font.setBold(int(index) == self._label)
            painter.setFont(font)
            painter.setPen(colour("text"))
            area = QRectF(0, top, names - 8, row_height)
            painter.drawText(
                area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._classes[index]
            )
            thickness = row_height * 0.34
            for at, share, ink in (
                (0.14, self._clean[index], colour("control")),
                (0.52, self._adversarial[index], QColor(SERIES[1])),
            ):
                painter.fillRect(
                    QRectF(names, top + row_height * at, max(1.0, width * float(share)), thickness), ink
                )
            painter.setPen(colour("muted"))
            font.setBold(False)
            painter.setFont(font)
            painter.drawText(
                QRectF(self.width() - numbers, top, numbers, row_height),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                (f"{100 * self._clean[index]:.0f} → " if both else "")
                + f"{100 * self._adversarial[index]:.0f} %",
            )
        left = max(0.0, min(float(names), self.width() - self._key_width()))
        self._paint_key(painter, left, len(shown) * row_height, row_height)

    def _key_width(self) -> float:
        metrics = self.fontMetrics()
        return metrics.horizontalAdvance("original" + "adversarial") + metrics.height() + 16

    def _paint_key(self, painter: QPainter, left: float, top: float, height: float) -> None:
        painter.setPen(colour("muted"))
        for words, ink in (("original", colour("control")), ("adversarial", QColor(SERIES[1]))):
            box = QRectF(left, top + height * 0.35, height * 0.35, height * 0.35)
            painter.fillRect(box, ink)
            left = box.right() + 4
            wide = painter.fontMetrics().horizontalAdvance(words)
            painter.drawText(QRectF(left, top, wide + 4, height), Qt.AlignmentFlag.AlignVCenter, words)
            left += wide + 8
