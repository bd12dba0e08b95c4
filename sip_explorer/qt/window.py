"""The window: the rail of rooms, the room on show, the film strip, the status bar, the menus."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.qt.dropping import Drops
from sip_explorer.qt.film_strip import FilmStrip
from sip_explorer.qt.importing.asking import ask_import_images
from sip_explorer.qt.installation import installation_text
from sip_explorer.qt.menus import FIND, add_menus
from sip_explorer.qt.models import ask_add_model
from sip_explorer.qt.rail import Rail
from sip_explorer.qt.room import Room, separator
from sip_explorer.qt.rooms import ROOMS
from sip_explorer.qt.status_line import StatusLine
from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.banner import Banner
from sip_explorer.qt.widgets.command_palette import CommandPalette
from sip_explorer.qt.widgets.job_bar import JobBar
from sip_explorer.state import Session
from sip_explorer.state.recognising import Recognising


class MainWindow(QMainWindow):
    """One window on one session. Rooms are made when they are first entered."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._asks = True
        self.setWindowTitle("SIP Explorer")
        self.rooms: dict[str, Room] = {}
        self._rail = Rail()
        self._rail.wanted.connect(self.enter)
        self._stack = QStackedWidget()
        self.film_strip = FilmStrip(session)
        self._strip_line = separator(Qt.Orientation.Horizontal)
        pane = QWidget()
        right = QVBoxLayout(pane)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self._stack, 1)
        right.addWidget(self._strip_line)
        right.addWidget(self.film_strip)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(self._rail)
        body.addWidget(separator(Qt.Orientation.Vertical))
        body.addWidget(pane, 1)
        centre = QWidget()
        centre.setLayout(body)
        self.setCentralWidget(centre)
        self.banner = Banner(pane)
        self._status = StatusLine(session)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addWidget(self._status, 1)
        self.statusBar().addPermanentWidget(JobBar(session.jobs))
        self.recognising = Recognising(session)
        self.drops = Drops(self)
        add_menus(self)
        session.problem.connect(self.banner.show_problem)
        session.problem_solved.connect(self.banner.forget_problem)
        session.notice.connect(self.banner.show_notice)
        session.workspace_changed.connect(self._show_workspace)
        self._restore_geometry()
        self.enter(session.settings["room"])

    # ---- rooms ----------------------------------------------------------------------------

    def enter(self, key: str) -> Room:
        """Show a room, making it first where it was never entered; return it."""
        if key not in ROOMS:
            key = "salience"
        room = self.rooms.get(key)
        shown = self._stack.currentWidget()
        if room is not None and room is shown:
            return room
        if isinstance(shown, Room):
            shown.left()
        if room is None:
            room = self.rooms[key] = ROOMS[key].make(self.session)
            room.wanted.connect(self.enter)
            room.asked.connect(self._do)
            self._stack.addWidget(room)
        self._stack.setCurrentWidget(room)
        for widget in (self.film_strip, self._strip_line):
            widget.setVisible(room.uses_film_strip)
        self._rail.show_entered(key)
        self.session.settings["room"] = key
        room.setFocus()  # else the first button of the rail takes it, and looks chosen
        room.entered()
        return room

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # What nobody under the focus wanted (a letter typed at the film strip) is for the room.
        room = self._stack.currentWidget()
        if not (isinstance(room, Room) and room.take_key(event)):
            super().keyPressEvent(event)

    # ---- around the rooms -----------------------------------------------------------------

    def _show_workspace(self, workspace: object) -> None:
        name = getattr(workspace, "name", "")
        read_only = " (read-only)" if getattr(workspace, "read_only", False) else ""
        self.setWindowTitle(f"{name}{read_only} · SIP Explorer" if name else "SIP Explorer")

    # ---- commands -------------------------------------------------------------------------

    def in_room(self, act: str) -> None:
        """Undo and redo belong to the room on show; rooms without them simply have no such method."""
        method = getattr(self._stack.currentWidget(), act, None)
        if callable(method):
            method()

    def _do(self, action: str) -> None:
        """Do what a room asks of the window."""
        {"add_model": self.ask_add_model, "add_images": self.ask_add_images}[action]()

    def _choose_theme(self, choice: str) -> None:
        self.session.settings["theme"] = choice
        theme.choose(choice)

    def show_commands(self) -> None:
        """Open the command palette."""
        palette = CommandPalette([a for a in self.actions() if a.text() != FIND], self)
        palette.exec()
        palette.deleteLater()

    def show_installation(self) -> None:
        """Say what is installed and on which device the program works; the text can be copied."""
        text = installation_text(self.session)
        box = QMessageBox(QMessageBox.Icon.NoIcon, "About this installation", text, parent=self)
        box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.exec()
        box.deleteLater()

    # ---- asking, then doing ---------------------------------------------------------------

    def ask_new_workspace(self) -> None:
        """Ask for images of any format and a place, then make a workspace of them."""
        ask_import_images(self)

    def ask_add_images(self) -> None:
        """Ask for images and add them to the open workspace; a new one where none can be changed."""
        ask_import_images(self, adds=True)

    def ask_open_workspace(self) -> None:
        """Ask for a workspace folder and open it."""
        folder = QFileDialog.getExistingDirectory(self, "Workspace folder")
        if folder:
            self.open_workspace(folder)

    def open_workspace(self, folder: str | None = None) -> None:
        """Open a workspace, None for the demo; what could not be opened before is no news then."""
        session = self.session
        if session.attempt(lambda: session.open_workspace(folder) if folder else session.open_demo()):
            self.banner.forget_problem(self.banner.problem)

    def ask_add_model(self, path: Path | None = None) -> None:
        """Show what a checkpoint holds, asking for one where none is given, and add it to the workspace."""
        ask_add_model(self, path)

    def ask_annotator(self) -> None:
        """Ask who paints."""
        workspace = self.session.workspace
        if workspace is None:
            return
        names = [annotator.name for annotator in workspace.annotators()]
        at = names.index(self.session.selection.annotator) if self.session.selection.annotator in names else 0
        name, accepted = QInputDialog.getItem(self, "Annotator", "Who paints?", names, at, editable=True)
        if accepted and name.strip():
            self.session.attempt(lambda: self.session.choose_annotator(name.strip()))

    def ask_close_with_work(self) -> bool:
        """Ask whether to close although jobs are running; True to close."""
        titles = ", ".join(row.title for row in self.session.jobs.running)
        answer = QMessageBox.question(
            self,
            "Work under way",
            f"Still running: {titles}. Close and cancel it? What is on disk already stays.",
            QMessageBox.StandardButton.Close | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        return answer == QMessageBox.StandardButton.Close

    def ask_give_up_strokes(self) -> bool:
        """Ask whether to close although strokes cannot be saved; True to give them up."""
        answer = QMessageBox.warning(
            self,
            "Not everything is saved",
            f"{self.banner.text.text()} Close and lose these strokes?",
            QMessageBox.StandardButton.Discard | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        return answer == QMessageBox.StandardButton.Discard

    # ---- geometry and closing -------------------------------------------------------------

    def _restore_geometry(self) -> None:
        stored = QByteArray.fromBase64(self.session.settings["window_geometry"].encode("ascii", "replace"))
        if not self.restoreGeometry(stored):
            screen = self.screen().availableSize()
            self.resize(min(1440, int(screen.width() * 0.9)), min(900, int(screen.height() * 0.9)))

    def close_now(self) -> None:
        """Close without asking: what is on disk already stays, running work is cancelled."""
        self._asks = False
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._asks and self.session.jobs.running and not self.ask_close_with_work():
            event.ignore()
            return
        self.session.settings["window_geometry"] = bytes(self.saveGeometry().toBase64().data()).decode()
        for room in self.rooms.values():
            room.left()
        if not self.session.attempt(self.session.close):
            if self._asks and not self.ask_give_up_strokes():
                event.ignore()
                return
            self.session.close(discard=True)
        super().closeEvent(event)
