"""Recipes that are not the form's: the shipped ones, and files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from sip_explorer.qt.rooms.training.recipe_panel import RecipePanel
from sip_explorer.state import Session
from sip_explorer.training.any_recipe import read_recipe
from sip_explorer.training.presets import presets, purpose

FILES = "Recipes (*.toml)"


class RecipeMenu(QPushButton):
    """Puts a recipe into the form, or the form's recipe into a file that the command line takes too."""

    def __init__(self, session: Session, panel: RecipePanel, parent: QWidget | None = None) -> None:
        super().__init__("Recipe", parent)
        self._session, self._panel = session, panel
        self.setToolTip("Take a recipe that comes with the program, open one, or save this one")
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for name, path in presets().items():
            action = menu.addAction(name)
            action.setToolTip(purpose(path))
            action.triggered.connect(lambda _=False, path=path: self.open(path))
        menu.addSeparator()
        menu.addAction("Open a recipe…").triggered.connect(self._choose)
        menu.addAction("Save this recipe…").triggered.connect(self._keep)
        self.setMenu(menu)

    def open(self, path: Path) -> None:
        """Put the recipe in the file ``path`` into the form; a problem is shown where it is none."""
        self._session.attempt(lambda: self._load(path))

    def save(self, path: Path) -> None:
        """Write the form's recipe to ``path``; a problem is shown where a value cannot stand."""
        self._session.attempt(lambda: self._panel.form.recipe().save(path))

    def _load(self, path: Path) -> None:
        recipe = read_recipe(path)
        self._panel.load(asdict(recipe), recipe.name or path.stem, {})

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a recipe", "", FILES)
        if path:
            self.open(Path(path))

    def _keep(self) -> None:
        name = f"{self._panel.form.value('name') or 'recipe'}.toml"
        path, _ = QFileDialog.getSaveFileName(self, "Save this recipe", name, FILES)
        if path:
            self.save(Path(path).with_suffix(".toml"))
