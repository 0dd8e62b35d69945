"""Step 2: training, validation and test pictures, shown before anything is tuned."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from capt_engine.records import USES, Bar, BarChart, Failure
from capt_gui.pages.tune.split_settings import SplitSettings
from capt_gui.pages.tune.step import Step
from capt_gui.panels.chart_saving import ChartSaving
from capt_gui.panels.notice_list import NoticeList
from capt_gui.translate import first_sentence, spoken
from capt_gui.view_models.data_warnings import Notice
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.picture_list import PictureList
from capt_gui.view_models.tune.split_rows import TONES, SplitRows, parts, tiles, use_help, use_name
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.columns import columns
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picture_grid import PictureGrid
from capt_gui.widgets.scrolled import scrolled
from capt_gui.widgets.split_bars import SplitBars
from capt_gui.widgets.use_totals import UseTotals

_COLUMNS = [300, 500, 370]


class SplitStep(Step):
    """Step 2 of the wizard, in three columns: settings, a bar for every class, and the pictures of one class by their use."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._project = desk.tuning.project
        self._split = desk.tuning.split
        self.banner = Banner(desk.theme)
        self.notices = NoticeList(desk.theme)
        self.settings = SplitSettings(desk.theme, self._project, self._split)
        uses = [(use_name(use), TONES[use], use_help(use)) for use in USES]
        self.totals = UseTotals(desk.theme, uses)
        self.bars = SplitBars(desk.theme, tuple(TONES[use] for use in USES))
        self._rows = SplitRows(self)
        self.bars.setModel(self._rows)
        self._title = ElidedLabel(text_role="heading")
        self._note = text(role="caption")
        self.grid = PictureGrid(desk.theme)
        self._pictures = PictureList(desk.tuning.thumbnails, self)
        self.grid.setModel(self._pictures)
        self.grid.setAccessibleDescription(self.tr("The arrows move from picture to picture"))
        self._lay_out()
        ChartSaving(desk, self.bars, self.record, Qt.Corner.BottomRightCorner)
        self._split.changed.connect(self.on_changed)
        self._split.written.connect(self.done)
        self._split.refused.connect(self.held)
        self._split.failed.connect(self.on_failed)
        self._project.changed.connect(self.settings.refresh)
        self.bars.current_changed.connect(self.on_current_changed)
        self.bars.entered_row.connect(self.on_entered)
        self.on_changed()

    @property
    def blocked_because(self) -> str:
        """Return a sentence why the present split cannot be used for tuning, or "" if it can."""
        return self._split.problem()

    def record(self) -> BarChart | None:
        """Return the bars of all classes, how many pictures have which use, as a chart that can be saved, or None without a split."""
        result = self._split.result
        if result is None or not result.classes:
            return None
        bars = tuple(
            Bar(own.name, count, series=number) for own in result.classes for number, count in enumerate(parts(own))
        )
        caption, names = self.bars.accessibleName(), tuple(use_name(use) for use in USES)
        sentence = f"{caption}. {', '.join(self.totals.texts())}."
        return BarChart(caption, bars, sentence, percent=False, series=names, x_title=self.tr("pictures"))

    def enter(self) -> None:
        """Have the split computed for the present settings, unless it is known, and move the keyboard focus to its bars."""
        self._split.refresh()
        self.settings.refresh()
        self.bars.setFocus()

    def prepare_next(self) -> None:
        """Have the split written into the project's folder, where tuning reads it; `done` follows, or `held` if that failed.

        While tuning runs nothing is written, and `done` is emitted at once.
        """
        if self._project.is_busy:
            self.done.emit()
        else:
            self._split.write()

    def on_changed(self) -> None:
        """Show the counts, bars and warnings of the split; while another one is computed, the last one stays."""
        result = self._split.result
        total = self._split.totals()
        self.settings.refresh()
        self.totals.set_counts(None if total is None else parts(total))
        rows = result.classes if result is not None else ()
        current = self.bars.current_key()
        self.bars.set_largest(max((sum(parts(own)) for own in rows), default=1))
        self._rows.show(rows)
        if rows and not self.bars.current_key():
            names = [own.name for own in rows]
            self.bars.setCurrentIndex(self._rows.index(names.index(current) if current in names else 0))
        blocks, warnings = ((), ()) if result is None else (result.blocks, result.warnings)
        notices = [("block", sentence) for sentence in blocks] + [("warning", sentence) for sentence in warnings]
        self.notices.show_notices([_notice(kind, sentence) for kind, sentence in notices])
        self.on_current_changed(self.bars.current_key())
        self.changed.emit()

    def on_failed(self, failure: Failure) -> None:
        """Show in the banner why there is no split, the message and the hint of `failure`, and emit `held`."""
        self.banner.show_message("error", failure.message, failure.hint)
        self.held.emit()

    def on_current_changed(self, name: str) -> None:
        """Show the pictures of the class called `name` by their use: training, validation, test or none."""
        shown = tiles(self._split.pictures(name))
        self._title.set_text(name)
        self._note.setText(self.tr("Its pictures, by what they are used for") if shown else "")
        self._pictures.show(shown)

    def on_entered(self, name: str) -> None:
        """Show the pictures of the class called `name`, on which Return was pressed, and move the keyboard focus to them."""
        self.on_current_changed(name)
        self.grid.setFocus()

    def _lay_out(self) -> None:
        middle, right = QFrame(), QFrame()
        for frame in (middle, right):
            frame.setProperty("card", True)
        fill(QVBoxLayout(middle), self.totals, (self.bars, 1), spacing=10, margins=(16, 14, 8, 8))
        fill(QVBoxLayout(right), self._title, self._note, 6, (self.grid, 1), spacing=2, margins=(16, 14, 8, 8))
        parts = columns((scrolled(self.settings), 0, 290), (middle, 3, 260), (right, 2, 190), sizes=_COLUMNS, handle=10)
        fill(QVBoxLayout(self), self.banner, self.notices, (parts, 1), spacing=10, margins=(20, 12, 20, 12))


def _notice(kind: str, sentence: str) -> Notice:
    """Show the engine's sentences: the first one, and below it the rest."""
    return Notice(kind, *first_sentence(spoken(sentence)))
