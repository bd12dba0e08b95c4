"""An image with a mask over it, and a proposal over that."""

# ruff: noqa: N815

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QTimer, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.canvas.adjustment import Adjustment
from sip_explorer.qt.canvas.image_view import ImageView
from sip_explorer.qt.canvas.mask_layer import MaskLayer, check_mask
from sip_explorer.qt.canvas.outline_layer import OutlineLayer
from sip_explorer.qt.canvas.picture import Picture
from sip_explorer.qt.canvas.proposal_layer import ProposalLayer
from sip_explorer.records import SipError
from sip_explorer.salience import Box, Patch

_OUTLINE_PAUSE = 10  # ms between two tiles of the outline, which may lag behind the brush
_OUTLINE_SHARE = 0.004  # s for tiles in a row while the hand rests


class MaskView(ImageView):
    """Shows and keeps a mask; changes of it are patches, and only what changed is painted again.

    Signals
    -------
    opacityChanged(float), zoomChanged(float)
    """

    opacityChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._layer: MaskLayer | None = None
        self._proposal: ProposalLayer | None = None
        self._others: list[OutlineLayer] = []
        self._adjustment = Adjustment()
        self._colour = QColor("#E69F00")
        self._opacity = 0.45
        self._hidden = False  # for good, by whoever owns the view
        self._peeking = False  # while the key is held
        super().__init__(parent)
        self._outline_timer = QTimer(self, singleShot=True, interval=_OUTLINE_PAUSE)
        self._outline_timer.timeout.connect(self._trace_outline)

    def set_image(self, image: NDArray[np.uint8] | None, mask: NDArray[np.uint8] | None = None) -> None:
        """Show an image and its mask (None: nothing painted); what was proposed goes.

        Parameters
        ----------
        image
            uint8 (H, W), (H, W, 1) or (H, W, 3), drawn from where it lies: do not change it after.
            None: nothing to paint on (see `set_message`).
        mask
            uint8 (H, W); copied.

        Raises
        ------
        SipError
            If the mask has another size than the image; the canvas keeps what it had.
        """
        self.set_picture(None if image is None else Picture(image), mask)

    def set_picture(self, picture: Picture | None, mask: NDArray[np.uint8] | None = None) -> None:
        """Do what `set_image` does with a picture that was made elsewhere (in a thread, say)."""
        if picture is not None:
            mask = np.zeros((picture.height, picture.width), np.uint8) if mask is None else mask
            check_mask(mask, picture)
        self.abort_stroke()
        self._proposal = self._layer = None
        self._others = []
        if picture is not None and mask is not None:
            self._take(mask)
        self.show_picture(picture)

    def set_mask(self, mask: NDArray[np.uint8]) -> None:
        """Replace the mask by a copy of this one, uint8 (H, W); SipError if the size differs."""
        check_mask(mask, self.picture)
        self.abort_stroke()
        self._take(mask)

    def mask(self) -> NDArray[np.uint8]:  # type: ignore[override]
        """A copy of the mask, uint8 (H, W), without a stroke under way; SipError without an image."""
        return self.layer().before.copy()

    def apply_patch(self, patch: Patch, forward: bool = True) -> None:
        """Apply a patch, or take it back, and show it; drops a stroke under way. Emits nothing."""
        self.abort_stroke()
        layer = self.layer()
        for pixels in (layer.before, layer.pixels):
            (patch.apply if forward else patch.revert)(pixels)
        self.repaint_box(patch.box)

    def replace_mask(self, mask: NDArray[np.uint8]) -> Patch | None:
        """Make the mask equal to this one as one edit: its patch, or None if it was. Emits nothing."""
        check_mask(mask, self.picture)
        self.abort_stroke()
        patch = Patch.between(self.layer().pixels, mask)
        if patch is not None:
            self.apply_patch(patch)
        return patch

    def clear(self) -> Patch | None:
        """Erase the mask as one edit: its patch, or None if nothing was painted. Emits nothing."""
        return self.replace_mask(np.zeros_like(self.layer().pixels))

    def set_proposal(self, mask: NDArray[np.uint8] | None) -> None:
        """Show a proposed mask as hatching over the mask, which stays as it is; None takes it away."""
        if mask is not None:
            check_mask(mask, self.picture)
        self._proposal = None if mask is None else ProposalLayer(mask, self._colour)
        self.update()

    def proposal(self) -> NDArray[np.uint8] | None:
        """A copy of the mask that is proposed, if one is."""
        return None if self._proposal is None else self._proposal.mask.copy()

    def set_others(self, others: Sequence[tuple[NDArray[np.uint8], QColor | str]]) -> None:
        """Show masks of other people as outlines in their colours; none takes them away.

        They are drawn from where they lie, uint8 (H, W): do not change them after. Another image
        takes them away; without an image there is nothing to show them over.
        """
        if self.picture is None:
            others = ()
        for mask, _ in others:
            check_mask(mask, self.picture)
        self._others = [OutlineLayer(mask, QColor(colour)) for mask, colour in others]
        self.update()

    def set_adjustment(self, brightness: float = 0.0, contrast: float = 0.0, gamma: float = 1.0) -> None:
        """Show pictures brighter, with more contrast, or lighter in dark parts: see `Adjustment`."""
        adjustment = Adjustment.of(brightness, contrast, gamma)
        if adjustment != self._adjustment:
            self._adjustment = adjustment
            if self.picture is not None:
                self.picture.adjust(adjustment)
            self.update()

    def adjustment(self) -> tuple[float, float, float]:
        """Brightness, contrast and gamma of the pictures."""
        return self._adjustment.brightness, self._adjustment.contrast, self._adjustment.gamma

    def show_picture(self, picture: Picture | None) -> None:
        if picture is not None:
            picture.adjust(self._adjustment)
        super().show_picture(picture)

    def set_annotator_colour(self, colour: QColor | str) -> None:
        """Colour of salience and of proposals."""
        self._colour = QColor(colour)
        if self._proposal is not None:
            self._proposal = ProposalLayer(self._proposal.mask, self._colour)
        self._recolour()

    def set_opacity(self, opacity: float) -> None:
        """Opacity of full salience, 0..1."""
        self._opacity = min(max(float(opacity), 0.0), 1.0)
        self._recolour()
        self.caption.show_text(f"Opacity {100 * self._opacity:.0f} %")
        self.opacityChanged.emit(self._opacity)

    def opacity(self) -> float:
        """Opacity of full salience, 0..1."""
        return self._opacity

    def set_overlay_hidden(self, hidden: bool) -> None:
        """Show the bare image, or its salience again."""
        if hidden != self._hidden:
            self._hidden = hidden
            self.update()

    # for subclasses

    def abort_stroke(self) -> None:
        """Take back a stroke under way; called before anything replaces the mask."""

    def is_stroking(self) -> bool:
        """Whether the hand is drawing."""
        return False

    def layer(self) -> MaskLayer:
        """The mask as it is painted; SipError without an image."""
        if self._layer is None:
            raise SipError("there is no image on the canvas; choose one first")
        return self._layer

    def _take(self, mask: NDArray[np.uint8]) -> None:
        self._layer = MaskLayer(mask)
        self._recolour()

    def _recolour(self) -> None:
        if self._layer is not None:
            self._layer.set_colour(self._colour, self._opacity)
            self.update()

    def repaint_box(self, box: Box, under_way: bool = False) -> None:
        """Repaint a box of the mask; while a stroke is under way, its outline a little later."""
        outline = self.layer().outline
        outline.invalidate(box)
        if not under_way:
            outline.catch_up()
        if outline.outdated and not self._outline_timer.isActive():
            self._outline_timer.start()
        self.update(self.view_rect(box))

    def _trace_outline(self) -> None:
        if self._layer is None:
            return
        outline, end = self._layer.outline, time.perf_counter() + _OUTLINE_SHARE
        while outline.outdated:
            box = outline.trace()
            if box is not None:
                self.update(self.view_rect(box))
            if self.is_stroking() or time.perf_counter() > end:  # the hand comes first
                break
        if outline.outdated:
            self._outline_timer.start()

    # events

    def act(self, action: str) -> bool:
        if action == "hide":
            self._peeking = True
            self.update()
            return True
        return super().act(action)

    def release(self, action: str) -> bool:
        if action == "hide":
            self._peeking = False
            self.update()
            return True
        return super().release(action)

    def hideEvent(self, event: Any) -> None:
        self._outline_timer.stop()
        super().hideEvent(event)

    def paint_layers(self, painter: QPainter, visible: QRectF) -> None:
        if self._layer is None or self._hidden or self._peeking:
            return
        scale = self.zoom() * self.devicePixelRatioF()
        self._layer.paint(painter, visible, self.zoom(), scale)
        for other in self._others:
            other.paint(painter, visible, self.zoom(), scale)

    def paint_over(self, painter: QPainter, exposed: QRect) -> None:
        if self._proposal is not None and not (self._hidden or self._peeking):
            self._proposal.paint(painter, exposed, self.viewport, self.devicePixelRatioF())
