"""What the model sees, the perturbation and the adversarial picture, side by side and linked."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from capt_engine.records import Picture, PictureSet
from capt_gui.theme import Theme


class ImageTriptych(QWidget):
    """Three linked panes with one zoom, one pan and one pixel read-out."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_pictures(self, pictures: PictureSet | None) -> None:
        """Show the three pictures of an analysis, or the empty state."""

    def set_seen(self, picture: Picture | None) -> None:
        """Show only what the model sees, before an attack."""
