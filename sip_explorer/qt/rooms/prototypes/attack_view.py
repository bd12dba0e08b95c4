"""Attack: one image, many images, and the log-likelihood as a detector."""

from __future__ import annotations

from typing import ClassVar

from sip_explorer.qt.rooms.prototypes.attack_image_pane import AttackImagePane
from sip_explorer.qt.rooms.prototypes.attack_many_pane import AttackManyPane
from sip_explorer.qt.rooms.prototypes.attack_results import AttackResults
from sip_explorer.qt.rooms.prototypes.attack_section import AttackSection
from sip_explorer.qt.rooms.prototypes.detector_pane import DetectorPane
from sip_explorer.qt.rooms.prototypes.panes_view import PanesView
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.widgets.inspector import Inspector


class AttackView(PanesView):
    """PGD on the flow; one form for all panes."""

    word: ClassVar[str] = "Attack"
    tip: ClassVar[str] = "What attacked images drift to, and whether their likelihood gives them away"

    def __init__(self, subject: Subject, inspector: Inspector) -> None:
        super().__init__(subject)
        section = inspector.add_section("Attack (PGD)")
        self.sections = (section,)
        self.form = AttackSection(section)
        self.results = AttackResults(subject, self.form)
        self.image = AttackImagePane(subject, self.form, self.results)
        self.many = AttackManyPane(subject, self.results)
        self.detector = DetectorPane(subject, self.results)
        self.set_panes((self.image, self.many, self.detector), "Views of the attack")
        self.image.view_wanted.connect(lambda _word: self.show_pane(self.many))
