"""The centre: one picture before and after, the verdicts, and what became of it in a sentence."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from capt_engine.records import PictureRow, PictureSet
from capt_gui.pages.explore.charts import Charts
from capt_gui.pages.explore.labels import text
from capt_gui.view_models import sentences
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.gallery_model import Item
from capt_gui.widgets.image_triptych import ImageTriptych

_SYMBOL = 48


class ResultView(QWidget):
    """Shows one item of the gallery; `show_item(None)` shows that none is chosen."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._headline = text(role="title")
        self._headline.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details = text(role="muted")
        self._old = text(role="caption")
        # its room is kept, so that the pictures do not jump when a setting is changed
        policy = self._old.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._old.setSizePolicy(policy)
        self.triptych = ImageTriptych(desk.theme)
        self.charts = Charts(desk.theme)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self._symbol = QLabel()
        self._symbol.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._symbol.hide()
        self.splitter.addWidget(self.triptych)
        self.splitter.addWidget(self.charts)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 12, 8, 12)
        layout.setSpacing(4)
        for label in (self._headline, self._details, self._old):
            layout.addWidget(label)
        layout.addWidget(self.splitter, 1)
        layout.addWidget(self._symbol, 1)
        self._shown: tuple[PictureRow | None, PictureSet | None] = (None, None)

    def show_item(self, item: Item | None) -> None:
        """Show what is known of a picture."""
        row = item.row if item is not None and item.failure is None else None
        pictures = self._desk.gallery.pictures(item.path) if item is not None and row is not None else None
        self._show_words(item, row, pictures is not None)
        self._show_symbol(item)
        if (row, pictures) == self._shown:
            return
        self._shown = (row, pictures)
        self.triptych.set_pictures(pictures)
        if pictures is not None and row is not None and row.attacked is None:
            self.triptych.set_seen(pictures.seen)
        catalogue = self._desk.engine.catalogue
        self.charts.show_row(row, catalogue.metrics if catalogue else ())

    def _show_symbol(self, item: Item | None) -> None:
        """Where there is nothing to compare, no picture yet or one that cannot be used, a symbol stands instead."""
        refused = item is not None and item.failure is not None
        empty = item is None and self._desk.gallery.rowCount() == 0
        if refused or empty:
            name, role = ("state-failed", "warning") if refused else ("pictures", "text_muted")
            self._symbol.setPixmap(self._desk.theme.pixmap(name, _SYMBOL, role, self.devicePixelRatioF()))
        self._symbol.setVisible(refused or empty)
        self.splitter.setVisible(not refused and not empty)

    def _show_words(self, item: Item | None, row: PictureRow | None, drawn: bool) -> None:
        headline, details = self._words(item, row)
        old = row is not None and item is not None and item.request is not None
        stale = old and not self._desk.choices.made_with(item.request)  # type: ignore[union-attr, arg-type]
        remarks = [
            "Made with other settings; run again to bring it up to date." if stale else "",
            "" if row is None or drawn else "Drawing the pictures again…",
        ]
        for label, words in (
            (self._headline, headline),
            (self._details, details),
            (self._old, " ".join(part for part in remarks if part)),
        ):
            label.setText(words)
            label.setVisible(bool(words))

    def _words(self, item: Item | None, row: PictureRow | None) -> tuple[str, str]:
        if item is None and self._desk.gallery.rowCount() == 0:
            return "Looking for pictures…", self._desk.engine.waiting_text
        if item is None:
            return "Choose a picture on the left", "Its verdicts appear here."
        if item.failure is not None:
            return item.failure.message, item.failure.hint
        if row is not None:
            return sentences.headline(row), " · ".join(
                part
                for part in (
                    sentences.settings_line(row, self._desk.choices.model_label(row.model_id)),
                    sentences.survival(row),
                )
                if part
            )
        if item.pending == "running":
            return "Looking for a change that fools the model…", ""
        if item.pending or not item.seen:
            return "Waiting for its turn", self._desk.engine.waiting_text
        return "Not analysed yet", "Press Run to attack every picture of the gallery."
