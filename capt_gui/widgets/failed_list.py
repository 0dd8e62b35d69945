"""A list of pictures that could not be used, each with the reason, behind one line that says how many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from capt_engine.records import FailedPicture
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import spoken
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import clear, fill

_SHOWN = 100
# so few are shown at once
_OPEN = 4


class FailedList(QWidget):
    """A line with the number of pictures over a fold with their names and reasons; hidden while there is none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[FailedPicture, ...] = ()
        self._title = text(role="heading", wrap=False)
        self._body = QWidget()
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 2)
        self._fold = Fold(theme, self.tr("Which, and why"), self._body)
        fill(QVBoxLayout(self), self._title, self._fold, spacing=4)
        self.hide()

    def show_failed(self, failed: Sequence[FailedPicture]) -> None:
        """Show the names of pictures that could not be used with the reasons, and how many there are; none hides the list.

        Up to 100 are named; the list is open at first where there are 4 or fewer. The same pictures again change
        nothing.
        """
        if tuple(failed) == self._shown:
            return
        self._shown = tuple(failed)
        clear(self._grid)
        for row, one in enumerate(self._shown[:_SHOWN]):
            name = ElidedLabel(PurePath(one.path).name, text_role="")
            set_tooltip(name, one.path)
            self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(text(f"{spoken(one.message)} {spoken(one.hint)}".strip(), "muted"), row, 1)
        rest = len(self._shown) - _SHOWN
        if rest > 0:
            self._grid.addWidget(text(self.tr("and {:,} more").format(rest), "muted"), _SHOWN, 0)
        n = len(self._shown)
        self._title.setText(
            self.tr("1 picture could not be used") if n == 1 else self.tr("{:,} pictures could not be used").format(n)
        )
        self._fold.set_expanded(n <= _OPEN)
        self.setVisible(bool(self._shown))

    def title(self) -> str:
        """Return the heading, such as "3 pictures could not be used"."""
        return self._title.text()
