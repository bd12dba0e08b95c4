"""Who paints in an open workspace."""

from sip_explorer.records import SipError
from sip_explorer.workspace import annotators as people
from sip_explorer.workspace.annotators import ADJUDICATED, ANSWERS, PERSON, Annotator
from sip_explorer.workspace.image_access import ImageAccess

NOBODY = 0  # no row of the catalogue has this id


class PeopleAccess(ImageAccess):
    """The part of `Workspace` about annotators; may be used from any thread.

    An annotator is named by name or by id.
    """

    _annotators: list[Annotator]

    def annotators(self, kind: str | None = PERSON) -> list[Annotator]:
        """Return everyone of ``kind`` (None: of all kinds), in the order in which they came."""
        return [annotator for annotator in self._annotators if kind in (None, annotator.kind)]

    def add_annotator(self, name: str, kind: str = PERSON, colour: str | None = None) -> Annotator:
        """Add someone, with a colour of their own where none (#RRGGBB) is given.

        Raises
        ------
        SipError
            If the name is empty, taken or kept for another kind, the colour is none, or there is
            one of a kind of which there can be only one.
        """
        added = self._write(lambda connection: people.insert_annotator(connection, name, kind, colour))
        self._take_annotators()
        return added

    def change_annotator(
        self, annotator: int | str, name: str | None = None, colour: str | None = None
    ) -> Annotator:
        """Rename or recolour someone; what they painted stays theirs. `SipError` as `add_annotator`."""
        who = self.annotator(annotator)
        changed = self._write(lambda connection: people.update_annotator(connection, who, name, colour))
        self._take_annotators()
        return changed

    def annotator(self, annotator: int | str) -> Annotator:
        """Return the annotator of that name or id; `SipError` if there is none."""
        for known in self._annotators:
            if annotator in (known.id, known.name):
                return known
        raise SipError(f"There is no annotator {annotator!r} in this workspace: add one first.")

    def adjudicated(self) -> Annotator:
        """Return the painter of the masks that were agreed on, made at the first use."""
        return self._single(ADJUDICATED)

    def answers(self) -> Annotator:
        """Return the painter of the practice set's known answers, made at the first use."""
        return self._single(ANSWERS)

    def refresh(self) -> None:
        super().refresh()
        self._take_annotators()

    def _single(self, kind: str) -> Annotator:
        found = self.annotators(kind)
        if found:
            return found[0]
        added = self._write(lambda connection: people.insert_single(connection, kind))
        self._take_annotators()
        return added

    def _take_annotators(self) -> None:
        with self._acting:
            self._annotators = self._read(people.read_annotators)

    def _find(self, annotator: int | str) -> int:
        for known in self._annotators:
            if annotator in (known.id, known.name):
                return known.id
        return NOBODY
