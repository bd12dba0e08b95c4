"""Random edits in the Salience room: is the catalogue what the canvas shows, whatever was done?

    python tests/benchmarks/salience_random_edits.py --edits 10000 --seed 0

Mouse events with every tool, polygons closed by keys, undo, redo, clear, whole-mask changes, accepted
regions, masks restored from the history, other images, other people. At random moments, and at the
end, each mask of the catalogue is compared with what the canvas last showed of it; then the workspace
is opened once more and compared again. Prints one line; the exit code says whether all were equal.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from sip_explorer.qt.canvas import FILLS, TOOLS
from sip_explorer.qt.rooms.salience import SalienceRoom
from sip_explorer.salience import Patch
from sip_explorer.state import Session
from sip_explorer.workspace import Workspace

SIDE = 32
IMAGES = 5
PEOPLE = ("Ana", "Ben")
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
LEFT, RIGHT, UP = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton


def make_workspace(path: Path) -> Path:
    """Make a workspace of a few small images, with two people."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 255, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    with Workspace.from_arrays(path, "random", images, np.zeros(IMAGES, int), ["thing"]) as workspace:
        for name in PEOPLE:
            workspace.add_annotator(name)
    return path


class RandomHand:
    """Does one random thing after the other in a room, and remembers what the canvas showed."""

    def __init__(self, session: Session, room: SalienceRoom, seed: int) -> None:
        self.session = session
        self.room = room
        self.done: Counter[str] = Counter()
        self.checks = 0
        self._random = np.random.default_rng(seed)
        self._seen: dict[tuple[int, str], np.ndarray] = {}
        session.painting.edited.connect(self._edited)
        self._acts = {
            self._drag: 40,
            self._polygon: 4,
            self._undo: 18,
            self._redo: 12,
            self._clear: 2,
            self._region: 4,
            self._copy: 2,
            self._whole_mask: 2,
            self._restore: 3,
            self._go: 10,
            self._change_annotator: 2,
            self._hand: 6,
        }

    def work(self, edits: int) -> None:
        """Do ``edits`` things, comparing at random moments and at the end."""
        acts = list(self._acts)
        shares = np.array(list(self._acts.values()), float)
        for choice in self._random.choice(len(acts), edits, p=shares / shares.sum()):
            self.done[acts[choice].__name__.strip("_")] += 1
            acts[choice]()
            self._drain()
            if self._random.random() < 0.01:
                self.compare()
        self.compare()

    def compare(self) -> None:
        """Every mask of the catalogue, with what waits to be written, is what the canvas showed."""
        self._look()
        workspace = self.session.workspace
        assert workspace is not None
        for (image, who), mask in self._seen.items():
            assert np.array_equal(workspace.mask(image, who), mask), f"image {image} of {who}"
        self.checks += 1

    def compare_with_disk(self, path: Path) -> None:
        """The closed workspace, opened once more, holds what the canvas showed."""
        with Workspace.open(path, read_only=True) as workspace:
            for (image, who), mask in self._seen.items():
                assert np.array_equal(workspace.mask(image, who), mask), f"image {image} of {who} on disk"

    # ---- acts -----------------------------------------------------------------------------

    def _drag(self) -> None:
        button = RIGHT if self._random.random() < 0.1 else LEFT
        modifiers = SHIFT if self._random.random() < 0.25 else NONE
        at = self._place()
        self._mouse(QEvent.Type.MouseButtonPress, at, button, button, modifiers)
        for _ in range(self._random.integers(0, 5)):
            at = at + QPointF(*self._random.normal(0, 60, 2))
            self._mouse(QEvent.Type.MouseMove, at, UP, button, modifiers)
        if self._random.random() < 0.05:
            self._key(Qt.Key.Key_Escape)
        self._mouse(QEvent.Type.MouseButtonRelease, at, button, UP, modifiers)

    def _polygon(self) -> None:
        canvas = self.room.canvas
        canvas.set_tool("polygon")
        for _ in range(self._random.integers(2, 6)):
            at = self._place()
            self._mouse(QEvent.Type.MouseButtonPress, at, LEFT, LEFT, NONE)
            self._mouse(QEvent.Type.MouseButtonRelease, at, LEFT, UP, NONE)
        self._key(self._random.choice([Qt.Key.Key_Return, Qt.Key.Key_Return, Qt.Key.Key_Escape]))

    def _undo(self) -> None:
        self.room.undo()

    def _redo(self) -> None:
        self.room.redo()

    def _clear(self) -> None:
        self.room.act("clear")

    def _region(self) -> None:
        region = np.zeros((SIDE, SIDE), np.uint8)
        y, x = self._random.integers(0, SIDE - 4, 2)
        region[y : y + 8, x : x + 8] = self._random.integers(1, 256)
        self.room.paint.replace("proposal", lambda mask: np.maximum(mask, region))

    def _copy(self) -> None:
        self.room.act("copy_previous")

    def _whole_mask(self) -> None:
        self.room.act(str(self._random.choice(["threshold", "smooth", "soften", "harden"])))
        if self._random.random() < 0.7:  # else something else happens meanwhile
            self._settle()

    def _restore(self) -> None:
        workspace, image = self.session.workspace, self.session.selection.current_image
        assert workspace is not None
        assert image is not None
        who = self.session.selection.annotator
        strokes = workspace.strokes(image, who)
        if strokes:
            past = workspace.mask(image, who, last=strokes[self._random.integers(len(strokes))].id)
            self.room.paint.replace("restore", lambda _mask: past)

    def _go(self) -> None:
        self._look()
        self.session.selection.current_image = int(self._random.integers(IMAGES))
        self._arrive()

    def _change_annotator(self) -> None:
        self._look()
        self.session.choose_annotator(str(self._random.choice(PEOPLE)))
        self._arrive()

    def _hand(self) -> None:
        canvas = self.room.canvas
        canvas.set_tool(str(self._random.choice(TOOLS)))
        canvas.set_brush_radius(float(self._random.uniform(0.5, 8)))
        canvas.set_hardness(float(self._random.choice([0, 0.5, 1])))
        canvas.set_level(float(self._random.choice([0.2, 0.6, 1])))
        canvas.set_fill_by(str(self._random.choice(FILLS)))

    # ---- inside ---------------------------------------------------------------------------

    def _look(self) -> None:
        """Remember what the canvas shows now."""
        paint = self.room.paint
        self.room.canvas.finish_stroke()
        if paint.image_id is not None:
            self._seen[paint.image_id, paint.annotator] = self.room.canvas.mask()

    def _edited(self, image: int, patch: Patch, who: str) -> None:
        """A change of a whole mask may end when another image shows."""
        if (image, who) != (self.room.paint.image_id, self.room.paint.annotator):
            patch.apply(self._seen[image, who])

    def _arrive(self) -> None:
        paint = self.room.paint
        assert paint.image_id is not None
        before = self._seen.get((paint.image_id, paint.annotator), np.zeros((SIDE, SIDE), np.uint8))
        assert np.array_equal(self.room.canvas.mask(), before), f"image {paint.image_id} on arrival"

    def _place(self) -> QPointF:
        return QPointF(*self.room.canvas.view_position(*self._random.uniform(-2, SIDE + 2, 2)))

    def _mouse(self, kind: QEvent.Type, at: QPointF, button: object, buttons: object, keys: object) -> None:
        canvas = self.room.canvas
        event = QMouseEvent(kind, at, canvas.mapToGlobal(at), button, buttons, keys)
        QApplication.sendEvent(canvas, event)

    def _key(self, key: Qt.Key) -> None:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(self.room.canvas, QKeyEvent(kind, key, NONE))

    def _drain(self) -> None:
        self.session.mailbox.drain(budget=1.0)

    def _settle(self) -> None:
        """Wait for what the disk thread was asked; a request behind it is answered after it."""
        answered: list[object] = []
        self.session.jobs.ask("settled", lambda _token: iter(()), answered.append, on="disk")
        deadline = time.monotonic() + 30
        while len(answered) < 2 and time.monotonic() < deadline:
            self._drain()
            time.sleep(0.001)


def random_edits(path: Path, edits: int, seed: int) -> RandomHand:
    """Do random edits in a new workspace at ``path``; AssertionError where something is not equal."""
    session = Session()
    problems: list[str] = []
    session.problem.connect(lambda sentence, _details: problems.append(sentence))
    room = SalienceRoom(session)
    room.resize(900, 700)
    session.open_workspace(make_workspace(path))
    session.selection.images = range(IMAGES)
    session.selection.current_image = 0
    session.choose_annotator(PEOPLE[0])
    hand = RandomHand(session, room, seed)
    try:
        hand.work(edits)
    finally:
        session.close()
        room.deleteLater()
    assert problems == [], problems
    hand.compare_with_disk(path)
    return hand


def main() -> int:
    """Read the arguments, do it, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SIP_EXPLORER_DATA"] = folder
        start = time.perf_counter()
        hand = random_edits(Path(folder) / "random", wanted.edits, wanted.seed)
        seconds = time.perf_counter() - start
    kinds = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(hand.done.items()))
    print(
        f"{wanted.edits:,} random edits ({kinds}), compared {hand.checks} times: "
        f"catalogue and canvas equal; {seconds:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
