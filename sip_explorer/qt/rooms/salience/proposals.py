"""A Grad-CAM proposal of the current model: asked, thresholded, accepted or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished
from sip_explorer.state import Session

LANE = "proposal"


@dataclass(frozen=True)
class Proposal:
    """What the model says of one image: uint8 map (H, W), its prediction and how sure it is."""

    image_id: int
    salience: NDArray[np.uint8]
    prediction: str
    probability: float


class ProposalPanel(QWidget):
    """Asks the current model in the device thread; nothing is written before it is accepted."""

    accepted = Signal()

    def __init__(
        self,
        session: Session,
        show: Callable[[Proposal | None], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._show = show
        self._image_id: int | None = None
        self.current: Proposal | None = None
        self.asking = False
        self._ask = QPushButton("Propose (P)")
        self._ask.setToolTip("Grad-CAM of the model: the region that its prediction rests on")
        self._accept = QPushButton("Accept (Enter)")
        self._refuse = QPushButton("Refuse")
        self._refuse.setToolTip("Refuse (Backspace)")
        self._threshold = QSlider(Qt.Orientation.Horizontal)
        self._threshold.setRange(5, 95)
        self._threshold.setValue(50)
        self._threshold.setAccessibleName("Threshold of the proposal")
        self._threshold_text = QLabel()
        self._threshold_text.setProperty("role", "muted")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._ask)
        layout.addWidget(self._text)
        layout.addWidget(self._threshold_text)
        layout.addWidget(self._threshold)
        row = QHBoxLayout()
        row.addWidget(self._accept)
        row.addWidget(self._refuse)
        layout.addLayout(row)
        self._ask.clicked.connect(self.ask)
        self._accept.clicked.connect(self.accepted)
        self._refuse.clicked.connect(self.refuse)
        self._threshold.valueChanged.connect(self._rethreshold)
        session.selection.current_model_changed.connect(self._model_changed)
        self._refresh("")

    def set_image(self, image_id: int | None) -> None:
        """Speak of another image from now on."""
        self._image_id = image_id
        self._refresh("")

    def region(self) -> NDArray[np.uint8]:
        """Return the proposed region at the threshold: uint8 (H, W), 255 inside."""
        assert self.current is not None
        inside = self.current.salience >= self._threshold.value() * 2.55
        return np.where(inside, 255, 0).astype(np.uint8)

    def ask(self) -> None:
        """Ask the current model where it looks."""
        workspace = self._session.workspace
        entry = self._session.model(self._session.selection.current_model)
        image_id = self._image_id
        if workspace is None or image_id is None:
            self._refresh("Choose an image first.")
            return
        if entry is None:
            self._refresh("Choose a model first.")
            return
        session = self._session

        def job(_token: CancelToken) -> Iterator[Event | None]:
            from sip_explorer.data.fitting import fit_images
            from sip_explorer.salience import grad_cam

            model = session.load_classifier(entry)
            yield None
            pixels = workspace.image(image_id)
            device = next(model.parameters()).device
            images = fit_images(pixels[None], model.input_shape).to(device)
            yield Artefact(LANE, data=_proposal(image_id, pixels, model, images, grad_cam(model, images)))

        self.asking = True
        self._refresh("Asking the model…")
        session.jobs.ask(LANE, job, self._answered)

    def refuse(self) -> None:
        """Take the proposal away; the mask stays as it is."""
        self.stop_asking()
        if self.current is not None:
            self.current = None
            self._show(None)
        self._refresh("")

    def stop_asking(self) -> None:
        """An answer that is still on its way is no longer wanted."""
        self._session.jobs.drop(LANE)
        if self.asking:
            self.asking = False
            self._refresh("")
            self._rethreshold()

    def _answered(self, event: Event) -> None:
        if isinstance(event, Finished | Failed | Artefact):
            self.asking = False
        if isinstance(event, Failed):
            self._refresh(event.message)
        elif isinstance(event, Artefact) and isinstance(event.data, Proposal):
            if event.data.image_id != self._image_id:
                return
            if not event.data.salience.any():
                self._refresh("The model looks everywhere alike here: there is no region to propose.")
                return
            self.current = event.data
            self._rethreshold()

    def _rethreshold(self, *_: object) -> None:
        if self.current is not None:
            self._show(self.current)
            share = float((self.region() > 0).mean())
            self._refresh(
                f"Predicts {self.current.prediction}, {self.current.probability:.1%} sure; "
                f"the region covers {share:.0%} of the image."
            )
        else:
            self._refresh(self._text.text())

    def _model_changed(self, _model: object) -> None:
        self.refuse()

    def _refresh(self, text: str) -> None:
        self._text.setText(text)
        self._text.setVisible(bool(text))
        there = self.current is not None
        for widget in (self._accept, self._refuse, self._threshold, self._threshold_text):
            widget.setVisible(there)
        self._threshold_text.setText(f"Threshold {self._threshold.value()} %")


def _proposal(
    image_id: int, pixels: NDArray[np.uint8], model: object, images: object, cam: object
) -> Proposal:
    import torch
    from torch.nn import functional

    with torch.inference_mode():
        probabilities = torch.softmax(model(images).float(), 1)[0]  # type: ignore[operator]
        top = int(probabilities.argmax())
        size = functional.interpolate(cam.cpu(), pixels.shape[:2], mode="bilinear", align_corners=False)  # type: ignore[attr-defined]
    classes = model.classes  # type: ignore[attr-defined]
    return Proposal(
        image_id,
        (size[0, 0] * 255).round().to(torch.uint8).numpy(),
        classes[top] if top < len(classes) else f"class {top}",
        float(probabilities[top]),
    )
