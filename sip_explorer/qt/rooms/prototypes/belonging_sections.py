"""What the current image belongs to, in the inspector: prototypes, classes, and how usual it is."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QLabel, QPushButton

from sip_explorer.qt.rooms.prototypes.galleries import Galleries
from sip_explorer.qt.rooms.prototypes.image_requests import Inverted
from sip_explorer.qt.rooms.prototypes.likelihood_bars import LikelihoodBars
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.share_bars import ShareBars

SHOWN = 5
"""So many prototypes are listed."""


class BelongingSections:
    """Three sections that follow one `Inverted`."""

    def __init__(self, inspector: Inspector, subject: Subject, galleries: Galleries) -> None:
        self._subject, self._galleries = subject, galleries
        self._answer: Inverted | None = None
        prototypes = inspector.add_section("Responsible prototypes")
        self.shares = ShareBars("Responsibility of each prototype for the image")
        self.shares.setToolTip("How much of the image's likelihood each prototype carries")
        prototypes.add_widget(self.shares)
        classes = inspector.add_section("Log-likelihood of the image")
        self._words = _caption()
        classes.add_widget(self._words)
        self.bars = LikelihoodBars()
        classes.add_widget(self.bars)
        usual = inspector.add_section("Typicality")
        self.typicality = _caption()
        usual.add_widget(self.typicality)
        self.index = QPushButton("Index the training images")
        self.index.setToolTip("Encode images of training, so that this one can be compared with them")
        self.index.clicked.connect(galleries.build)
        usual.add_widget(self.index)
        self.sections = (prototypes, classes, usual)
        galleries.changed.connect(self._show_typicality)
        self._show_typicality()

    def clear(self) -> None:
        """There is no image."""
        self._answer = None
        self.shares.set_rows(())
        self.bars.set_values((), np.empty(0), None)
        self._words.setText("")
        self._show_typicality()

    def show_answer(self, answer: Inverted) -> None:
        """Show what is known of an image."""
        self._answer = answer
        subject = self._subject
        flat = answer.responsibilities.ravel()
        components = answer.responsibilities.shape[1]
        order = np.argsort(-flat, kind="stable")[:SHOWN]
        self.shares.set_rows([(subject.name(divmod(int(i), components)), float(flat[i])) for i in order])
        self.bars.set_values(subject.classes, answer.per_class, subject.true_class())
        self._words.setText("First number: nats; the others: nats below it. Bold: the image's own class.")
        self._show_typicality()

    def _show_typicality(self) -> None:
        index, answer, galleries = self._galleries.train, self._answer, self._galleries
        self.index.setVisible(index is None)
        self.index.setEnabled(galleries.row is None)
        if index is None:
            working = galleries.row is not None
            self.typicality.setText(
                "The training images are being encoded…" if working
                else "How usual its log-likelihood is shows once training images are indexed."
            )  # fmt: skip
        elif answer is None:
            self.typicality.setText(f"Compared with {galleries.words}.")
        else:
            self.typicality.setText(typicality_words(answer.log_likelihood, index))


def typicality_words(log_likelihood: float, index: object) -> str:
    """Return how usual a log-likelihood is among indexed images, as a sentence."""
    values = np.asarray(index.log_likelihoods)  # type: ignore[attr-defined]
    usual = float(index.typicality(log_likelihood))  # type: ignore[attr-defined]
    below = float((values < log_likelihood).mean())
    verdict = "usual" if usual >= 0.1 else "unusual" if usual >= 0.02 else "very unusual"
    side = "" if usual >= 0.1 else ": too likely" if below > 0.5 else ": too unlikely"
    return (
        f"{verdict.capitalize()}{side}. log p(x) = {log_likelihood:,.0f} nats, more than "
        f"{100 * below:.0f} % of {len(values):,} training images; {100 * usual:.0f} % of them lie at "
        "least as far from the middle."
    ).replace("-", "−")


def _caption() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", "caption")
    return label
