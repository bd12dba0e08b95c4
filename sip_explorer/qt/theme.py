"""Colours, spacing and the style sheet; light and dark after the system, or as the user chose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

SPACE = (4, 8, 12, 16, 24)
_ASSETS = (Path(__file__).parent / "assets").as_posix()

# Okabe-Ito, safe for the colour-blind: curves and annotators take them in this order.
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8F94")


@dataclass(frozen=True)
class Tokens:
    """Colour roles of one scheme, as #RRGGBB."""

    window: str
    surface: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    control: str
    hover: str
    good: str
    bad: str
    warn: str


LIGHT = Tokens(
    window="#F6F7F8",
    surface="#FFFFFF",
    line="#DFE3E6",
    text="#1B1F23",
    muted="#5F6B76",
    accent="#0B6E99",
    on_accent="#FFFFFF",
    control="#87929C",
    hover="#EBEFF2",
    good="#1A7F4B",
    bad="#B3261E",
    warn="#8A5A00",
)
DARK = Tokens(
    window="#16191C",
    surface="#1E2226",
    line="#2E343A",
    text="#E6E9EC",
    muted="#9AA6B1",
    accent="#4FB3D9",
    on_accent="#0B1216",
    control="#6B7681",
    hover="#2A3036",
    good="#5CC98F",
    bad="#FF8A80",
    warn="#F0B85A",
)


class Theme(QObject):
    """The scheme in force. ``changed`` is emitted after the palette was replaced.

    Widgets that paint themselves read ``tokens`` at paint time.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.choice = "system"
        self.tokens = LIGHT
        self._following = False

    @property
    def dark(self) -> bool:
        """Whether the dark scheme is in force."""
        return self.tokens is DARK

    def install(self, app: QApplication, choice: str) -> None:
        """Style the application and follow the system's scheme from now on."""
        app.setStyle("Fusion")
        font = app.font()
        if font.pointSizeF() < 9:
            font.setPointSizeF(9.5)
        font.setFeature(QFont.Tag("tnum"), 1)  # tabular figures: numbers stay aligned
        app.setFont(font)
        if not self._following:
            app.styleHints().colorSchemeChanged.connect(self._refresh)
            self._following = True
        self.choose(choice)

    def choose(self, choice: str) -> None:
        """Use ``light``, ``dark`` or what the ``system`` says."""
        self.choice = choice if choice in ("light", "dark", "system") else "system"
        self._refresh()

    def _refresh(self) -> None:
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            return
        system_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = self.choice == "dark" or (self.choice == "system" and system_dark)
        self.tokens = DARK if dark else LIGHT
        app.setPalette(_palette(self.tokens))
        app.setStyleSheet(_style_sheet(self.tokens))
        self.changed.emit()


theme = Theme()


def colour(role: str) -> QColor:
    """Return the colour of a role (a field of `Tokens`) in the scheme in force."""
    return QColor(getattr(theme.tokens, role))


def _palette(t: Tokens) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: t.window,
        QPalette.ColorRole.WindowText: t.text,
        QPalette.ColorRole.Base: t.surface,
        QPalette.ColorRole.AlternateBase: t.window,
        QPalette.ColorRole.Text: t.text,
        QPalette.ColorRole.Button: t.surface,
        QPalette.ColorRole.ButtonText: t.text,
        QPalette.ColorRole.Highlight: t.accent,
        QPalette.ColorRole.HighlightedText: t.on_accent,
        QPalette.ColorRole.ToolTipBase: t.surface,
        QPalette.ColorRole.ToolTipText: t.text,
        QPalette.ColorRole.PlaceholderText: t.muted,
        QPalette.ColorRole.Link: t.accent,
        QPalette.ColorRole.Mid: t.line,
        QPalette.ColorRole.Midlight: t.line,
        QPalette.ColorRole.Dark: t.control,
        QPalette.ColorRole.Light: t.surface,
        QPalette.ColorRole.Shadow: t.control,
    }
    for role, value in roles.items():
        palette.setColor(role, QColor(value))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(t.control))
    return palette


def _style_sheet(t: Tokens) -> str:
    return f"""
    QWidget {{ color: {t.text}; }}
    QMainWindow, QDialog {{ background: {t.window}; }}
    QToolTip {{ background: {t.surface}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
    QLabel[role="title"] {{ font-weight: 600; font-size: {_points(2)}pt; }}
    QLabel[role="caption"], QLabel[role="muted"] {{ color: {t.muted}; }}
    QLabel[role="caption"] {{ font-size: {_points(-1)}pt; }}
    QLabel[role="section"] {{ font-weight: 600; }}
    QLabel[role="bad"] {{ color: {t.bad}; }}
    QFrame[role="line"] {{ background: {t.line}; border: none; }}
    QWidget[role="surface"] {{ background: {t.surface}; }}
    QPushButton {{
        background: {t.surface}; border: 1px solid {t.line}; border-radius: 6px; padding: 4px 12px;
    }}
    QPushButton:hover {{ background: {t.hover}; }}
    QPushButton:focus {{ border-color: {t.accent}; }}
    QPushButton:disabled {{ color: {t.control}; }}
    QPushButton[primary="true"] {{
        background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; font-weight: 600;
    }}
    QPushButton[primary="true"]:disabled {{ background: {t.line}; color: {t.muted}; border-color: {t.line}; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QPushButton[role="link"] {{
        background: transparent; border: 1px solid transparent; padding: 2px 4px; text-align: left;
        color: {t.accent};
    }}
    QPushButton[role="link"]:hover {{ text-decoration: underline; }}
    QPushButton[role="link"]:focus {{ border-color: {t.accent}; }}
    QToolButton {{
        border: 1px solid transparent; border-radius: 6px; padding: 4px; background: transparent;
    }}
    QToolButton:hover {{ background: {t.hover}; }}
    QToolButton:checked {{ background: {t.hover}; color: {t.accent}; }}
    QToolButton:focus {{ border-color: {t.accent}; }}
    QToolButton[role="fold"] {{
        font-weight: 600; padding: 4px 4px 4px 0; background: transparent; color: {t.text};
    }}
    QToolButton[role="fold"]:checked {{ color: {t.text}; }}
    QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{
        background: {t.surface}; border: 1px solid {t.line}; border-radius: 6px; padding: 3px 6px;
        selection-background-color: {t.accent}; selection-color: {t.on_accent};
    }}
    QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {{ border-color: {t.accent}; }}
    QLineEdit[invalid="true"] {{ border-color: {t.bad}; }}
    QComboBox::drop-down {{ border: none; width: 20px; }}
    QComboBox::down-arrow {{ image: url({_ASSETS}/down.svg); width: 12px; height: 12px; }}
    QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {{
        border: none; background: transparent; width: 18px;
    }}
    QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{
        image: url({_ASSETS}/up.svg); width: 10px; height: 10px;
    }}
    QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{
        image: url({_ASSETS}/down.svg); width: 10px; height: 10px;
    }}
    QComboBox QAbstractItemView {{ background: {t.surface}; border: 1px solid {t.line}; outline: none; }}
    QCheckBox::indicator, QTableView::indicator, QListView::indicator {{
        width: 12px; height: 12px; border: 1px solid {t.control}; border-radius: 3px; background: {t.surface};
    }}
    QCheckBox::indicator:checked, QTableView::indicator:checked, QListView::indicator:checked {{
        background: {t.accent}; border-color: {t.accent};
        image: url({_ASSETS}/check-{"dark" if t is DARK else "light"}.svg);
    }}
    QCheckBox::indicator:focus {{ border-color: {t.accent}; }}
    QListView, QTreeView, QTableView {{
        background: {t.surface}; border: none; outline: none; alternate-background-color: {t.window};
    }}
    QListView::item:selected, QTableView::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
    QHeaderView::section {{
        background: {t.window}; color: {t.muted}; padding: 4px;
        border: none; border-bottom: 1px solid {t.line};
    }}
    QScrollArea {{ border: none; background: transparent; }}
    QScrollBar:vertical {{ width: 10px; background: transparent; }}
    QScrollBar:horizontal {{ height: 10px; background: transparent; }}
    QScrollBar::handle {{ background: {t.line}; border-radius: 5px; min-height: 24px; min-width: 24px; }}
    QScrollBar::handle:hover {{ background: {t.control}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QProgressBar {{
        background: {t.line}; border: none; border-radius: 3px; min-height: 6px; max-height: 6px;
    }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QSlider:horizontal {{ min-height: 20px; }}
    QSlider::groove:horizontal {{ height: 4px; background: {t.line}; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
    QSlider::handle:horizontal {{
        background: {t.surface}; border: 2px solid {t.accent}; width: 12px; height: 12px;
        margin: -6px 0; border-radius: 8px;
    }}
    QMenuBar {{ background: {t.window}; }}
    QMenuBar::item {{ padding: 4px 10px; border-radius: 4px; background: transparent; }}
    QMenuBar::item:selected {{ background: {t.hover}; }}
    QMenu {{ background: {t.surface}; border: 1px solid {t.line}; padding: 4px; }}
    QMenu::item {{ padding: 4px 24px 4px 16px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {t.hover}; }}
    QMenu::item:disabled {{ color: {t.control}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
    QStatusBar {{ background: {t.window}; border-top: 1px solid {t.line}; }}
    QStatusBar::item {{ border: none; }}
    QSplitter::handle {{ background: {t.line}; }}
    """


def _points(delta: float) -> float:
    return round(QApplication.font().pointSizeF() + delta, 1)
