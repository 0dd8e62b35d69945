"""Colours, icons, type and style sheet of the window, light and dark.

The style sheet also answers to properties, so that a page needs no colours of its own:
`textRole` on a QLabel ("title", "heading", "strong", "muted", "caption", "problem"), `card` on a QFrame, and
`primary`, `danger`, `quiet` or `link` on a button.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, QRectF, QSize, Qt, QTemporaryDir, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontInfo, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget

from capt_engine.errors import CaptError
from capt_engine.files import write_atomic
from capt_engine.resources import resource

CHOICES = ("system", "light", "dark")

# Clean is blue and attacked is orange, kept and broken are teal and vermilion: after Okabe and Ito (2008), moved in
# lightness until text roles reach 4.5 : 1 and marks 3 : 1 on what they stand on (tests/gui/test_theme.py computes it).
# The two sides of a comparison are grey and violet, and each always carries its letter.
_LIGHT = {
    "background": "#f3f4f7",
    "surface": "#ffffff",
    "surface_raised": "#eceef3",
    "border": "#dde0e7",
    "control": "#828a98",
    "text": "#1a1d24",
    "text_muted": "#596171",
    "accent": "#5847d6",
    "accent_hover": "#4a3ac2",
    "accent_pressed": "#3d2fa8",
    "accent_soft": "#eceafb",
    "accent_text": "#ffffff",
    "clean": "#0b6fb8",
    "attacked": "#c96a00",
    "side_a": "#434b5a",
    "side_b": "#5847d6",
    "ok": "#00786a",
    "broken": "#c0341d",
    "warning": "#8f5f00",
    "grid": "#e3e6ec",
    "focus": "#5847d6",
}
_DARK = {
    "background": "#13151a",
    "surface": "#1b1e25",
    "surface_raised": "#272b34",
    "border": "#31363f",
    "control": "#737c8b",
    "text": "#e9ebf0",
    "text_muted": "#a2aab8",
    "accent": "#a79bff",
    "accent_hover": "#b9afff",
    "accent_pressed": "#cdc6ff",
    "accent_soft": "#2b2850",
    "accent_text": "#14112e",
    "clean": "#59b1f5",
    "attacked": "#f6a13a",
    "side_a": "#d3d8e2",
    "side_b": "#a79bff",
    "ok": "#37c9a8",
    "broken": "#ff7e62",
    "warning": "#e8bd4a",
    "grid": "#2c313a",
    "focus": "#b9afff",
}
ROLES = tuple(_LIGHT)

# Sizes at which an icon is kept: those the controls ask for, at the usual screen scales.
_ICON_SIZES = (14, 16, 18, 20, 24, 28, 32, 36, 48, 64)
_SHEET_ICONS = {
    "chevron-down": "text_muted",
    "chevron-up": "text_muted",
    "chevron-left": "text_muted",
    "chevron-right": "text_muted",
    "check": "accent_text",
}


class Theme(QObject):
    """The colours, icons, fonts and style sheet of the application; passed to every widget that paints."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: str = "system", *, dressed: bool = True) -> None:
        """dressed: the style sheet is on at once. Without it until `dress`, so that a window is built in a third of the time."""
        super().__init__(app)
        self._is_dressed = dressed
        self._app = app
        self._choice = choice
        self._dark = False
        self._icons: dict[tuple[str, str, float], QIcon] = {}
        self._pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}
        self._drawings: dict[str, tuple[QSvgRenderer, bool]] = {}
        self._sheet_files = QTemporaryDir()
        app.setStyle("Fusion")
        app.setFont(_tabular(app.font()))
        app.styleHints().colorSchemeChanged.connect(self._on_system_changed)
        self.set_choice(choice)

    @property
    def choice(self) -> str:
        """Return the look that the user chose: "system", "light" or "dark"."""
        return self._choice

    @property
    def is_dark(self) -> bool:
        """Return True if the dark colours are in use now, by choice or because the system has them."""
        return self._dark

    def set_choice(self, choice: str) -> None:
        """Change the look of the whole window to `choice`: "system", "light" or "dark"; anything else counts as "system"."""
        self._choice = choice if choice in CHOICES else "system"
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        self._app.styleHints().setColorScheme(schemes.get(self._choice, Qt.ColorScheme.Unknown))
        self._apply()

    def dress(self) -> None:
        """Put the style sheet on all widgets that there are, and those that come; do nothing if it is on.

        Each time a widget is given to a layout, Qt works out its style sheet again, and that of all within it: for what
        is built before, this is done once.
        """
        if not self._is_dressed:
            self._is_dressed = True
            self._app.setStyleSheet(self._style_sheet())

    def color(self, role: str) -> QColor:
        """Return the colour of `role`, a name in ROLES such as "text", in the present theme; raise KeyError for another name."""
        return QColor((_DARK if self._dark else _LIGHT)[role])

    def mixed(self, role: str, share: float, over: str = "surface") -> QColor:
        """Return an opaque mixture of two colours: a `share` (0 to 1) of that of `role`, the rest of that of `over`, names in ROLES."""
        top, base = self.color(role), self.color(over)
        channels = ((top.redF(), base.redF()), (top.greenF(), base.greenF()), (top.blueF(), base.blueF()))
        return QColor.fromRgbF(*(share * t + (1 - share) * b for t, b in channels))

    def icon(self, name: str, role: str = "text") -> QIcon:
        """Return the bundled icon `name` in the colour of `role` (a name in ROLES), with a dimmed picture for disabled controls."""
        return self._icon(name, role, 1.0)

    def icon_beside_text(self, name: str, role: str = "text") -> QIcon:
        """Return the bundled icon `name` in the colour of `role` with empty room on its right, for a button with a text.

        The `iconSize` of the button must be 4 wide for 3 high.
        """
        return self._icon(name, role, 4 / 3)

    def _icon(self, name: str, role: str, width: float) -> QIcon:
        key = (name, role, width)
        if key not in self._icons:
            icon, normal, disabled = QIcon(), self.color(role), self.mixed("text_muted", 0.55)
            for size in _ICON_SIZES:
                drawn = self._drawn(name, normal, QSize(round(size * width), size))
                icon.addPixmap(drawn, QIcon.Mode.Normal)
                takes_colour = self._drawings[name][1]
                icon.addPixmap(_tinted(drawn, disabled) if takes_colour else drawn, QIcon.Mode.Disabled)
            self._icons[key] = icon
        return self._icons[key]

    def pixmap(self, name: str, size: int, role: str, ratio: float) -> QPixmap:
        """Return the bundled icon `name` in the colour of `role` for painting: `size` logical pixels square, at device pixel `ratio`."""
        key = (name, role, size, ratio)
        if key not in self._pixmaps:
            side = round(size * ratio)
            drawn = self._drawn(name, self.color(role), QSize(side, side))
            drawn.setDevicePixelRatio(ratio)
            self._pixmaps[key] = drawn
        return self._pixmaps[key]

    def font(self, text_role: str = "body") -> QFont:
        """Return the font for `text_role`, "title", "heading", "body", "strong" or "caption"; raise KeyError for another one."""
        font = _tabular(self._app.font())
        font.setPixelSize(self._sizes()[text_role])
        if text_role in {"title", "heading", "strong"}:
            font.setWeight(QFont.Weight.DemiBold)
        return font

    def _sizes(self) -> dict[str, int]:
        base = QFontInfo(self._app.font()).pixelSize()
        title, heading, caption = round(base * 1.6), round(base * 1.12), max(round(base * 0.9), 10)
        return {"title": title, "heading": heading, "body": base, "strong": base, "caption": caption}

    def _drawn(self, name: str, color: QColor, canvas: QSize) -> QPixmap:
        if name not in self._drawings:
            drawing = resource("icons", f"{name}.svg").read_bytes()
            self._drawings[name] = QSvgRenderer(drawing), b"currentColor" in drawing
        renderer, takes_colour = self._drawings[name]
        pixmap = QPixmap(canvas)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter, QRectF(0, 0, canvas.height(), canvas.height()))
        painter.end()
        # A drawing with colours of its own, such as that of the application, keeps them.
        return _tinted(pixmap, color) if takes_colour else pixmap

    @Slot()
    def _on_system_changed(self) -> None:
        if self._choice == "system" and self._wants_dark() != self._dark:
            self._apply()

    def _wants_dark(self) -> bool:
        if self._choice != "system":
            return self._choice == "dark"
        return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark

    def _apply(self) -> None:
        self._dark = self._wants_dark()
        self._icons.clear()
        self._pixmaps.clear()
        self._app.setPalette(self._palette())
        if self._is_dressed:
            self._app.setStyleSheet(self._style_sheet())
        self.changed.emit()

    def _palette(self) -> QPalette:
        role = QPalette.ColorRole
        palette = QPalette()
        for target, source in {
            role.Window: "background",
            role.WindowText: "text",
            role.Base: "surface",
            role.AlternateBase: "surface_raised",
            role.Text: "text",
            role.Button: "surface",
            role.ButtonText: "text",
            role.BrightText: "broken",
            role.ToolTipBase: "surface_raised",
            role.ToolTipText: "text",
            role.PlaceholderText: "text_muted",
            role.Highlight: "accent",
            role.HighlightedText: "accent_text",
            role.Accent: "accent",
            role.Link: "accent",
            role.LinkVisited: "accent",
            role.Light: "surface",
            role.Midlight: "surface_raised",
            role.Mid: "border",
            role.Dark: "control",
            role.Shadow: "control",
        }.items():
            palette.setColor(target, self.color(source))
        for target in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, target, self.mixed("text_muted", 0.6))
        return palette

    def _style_sheet(self) -> str:
        folder = Path(self._sheet_files.path())
        values = {name: self.color(name).name() for name in ROLES}
        for name in ("warning", "broken", "clean", "attacked", "ok"):
            values[f"{name}_soft"] = self.mixed(name, 0.1).name()
        values["disabled_text"] = self.mixed("text_muted", 0.6).name()
        values |= {f"{name}_px": f"{size}px" for name, size in self._sizes().items()}
        for name, role in _SHEET_ICONS.items():
            color = self.color(role).name()
            # A style sheet takes pictures only from files: the tinted ones live in a folder that goes with us.
            target = folder / f"{name}-{color[1:]}.svg"
            drawing = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
            # A full disk costs the icon, not the window.
            with suppress(CaptError):
                write_atomic(target, drawing.replace("currentColor", color), durable=False)
            values[f"icon_{name}"] = target.as_posix()
        sheet = "\n".join(path.read_text(encoding="utf-8") for path in sorted(resource("qss").glob("[0-9]*.qss")))
        for name in sorted(values, key=len, reverse=True):
            sheet = sheet.replace(f"@{name}@", values[name])
        return sheet


def repolish(widget: QWidget) -> None:
    """Apply the style sheet to `widget` again, as is needed after one of its properties that the style sheet reads has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def _tinted(drawn: QPixmap, color: QColor) -> QPixmap:
    """The same drawing in another colour; drawing it again would take several times as long."""
    tinted = QPixmap(drawn)
    painter = QPainter(tinted)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(tinted.rect(), color)
    painter.end()
    return tinted


def _tabular(font: QFont) -> QFont:
    """The same font with figures of one width, so that numbers do not jump when they change."""
    font = QFont(font)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
