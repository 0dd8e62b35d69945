"""Several variants in one ranked table, and the pictures behind each count; while it is awaited, how far it is."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from capt_engine.formatting import number, p_value, signed_points
from capt_engine.records import RankedVariant
from capt_gui.pages.evaluate.heat_cards import TakenFor
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.view_models.evaluate.ranking_run import RankingRun
from capt_gui.view_models.formatting import share
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader
from capt_gui.widgets.card import Card
from capt_gui.widgets.columns import centred
from capt_gui.widgets.labels import column, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.score_table import Cell, ScoreTable
from capt_gui.widgets.scrolled import scrolled
from capt_gui.widgets.verdict_box import VerdictBox

_WIDTH = 1640
_LOST, _REPAIRED = "lost", "repaired"
# columns whose cells have pictures behind them
_COUNTS = {2: _LOST, 3: _REPAIRED}


class RankingView(QWidget):
    """The verdict, the table and the pictures of a count; emits `report_clicked`, and `explore_clicked(paths)`."""

    report_clicked = Signal()
    explore_clicked = Signal(list)

    def __init__(
        self, theme: Theme, run: RankingRun, thumbnails: ThumbnailLoader, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._run = run
        self.verdict = VerdictBox(theme)
        self.report = self.verdict.add_button("report", self.tr("Open report"), primary=True)
        self.table = ScoreTable(self.tr("Variants, the best first"))
        self._read = text(role="caption")
        self.pictures = TakenFor(theme, thumbnails)
        heading = text(self.tr("Variants, the best first"), "heading")
        self._card = Card(column(heading, self.table, self._read, self.pictures, spacing=8))
        body = QWidget()
        fill(QVBoxLayout(body), self.verdict, self._card, (None, 1), spacing=12, margins=(16, 12, 12, 16))
        fill(QVBoxLayout(self), scrolled(centred(body, _WIDTH)))
        self.report.clicked.connect(self.report_clicked)
        self.table.clicked.connect(self.on_activated)
        self.table.activated.connect(self.on_activated)
        self.pictures.explore_clicked.connect(self.explore_clicked)
        run.changed.connect(self.on_changed)
        run.progress_changed.connect(self.on_progress_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the progress, the reason why there is no table, or the table, after the ranking began or ended."""
        run = self._run
        self.pictures.show_pictures("", ())
        self._card.setVisible(run.result is not None)
        self.verdict.set_progress((0, 0, self.tr("Waiting for its turn")) if run.is_running else None)
        self.verdict.show_buttons(*([self.report] if run.result is not None else []))
        if run.is_running:
            n = len(run.request.evaluations) if run.request is not None else 0
            self.verdict.set_verdict("", self.tr("Measuring {} variants on the same pictures").format(n), "")
        elif run.failure is not None:
            self.verdict.set_verdict("failed", run.failure.message, run.failure.hint)
        elif run.result is None:
            kept = self.tr("Variants that were done are kept as runs of their own.")
            self.verdict.set_verdict("stopped", self.tr("Stopped before all variants were measured"), kept)
        else:
            self.verdict.set_verdict(*run.verdict(), run.caption())
            self._show_table(run.result.variants)
            has_report = bool(run.folders())
            self.report.setEnabled(has_report)
            set_tooltip(self.report, "" if has_report else self.tr("Runs are not kept, so there is no report."))

    def on_progress_changed(self, done: int, total: int, message: str) -> None:
        """Show `message` and a bar at `done` of `total` (0: not known) while the ranking goes on."""
        if self._run.is_running:
            self.verdict.set_progress((done, total, message))

    def on_activated(self, index: QModelIndex) -> None:
        """Show the pictures behind the count in the cell at `index`, or none where the cell is no such count."""
        result = self._run.result
        if result is None:
            return
        rank = int(str(index.siblingAtColumn(0).data()).partition(".")[0])
        one = result.variants[rank - 1]
        kind = _COUNTS.get(index.column(), "")
        if one.versus is None or not kind:
            self.pictures.show_pictures("", ())
            return
        best, name = self._run.name(result.variants[0]), self._run.name(one)
        if kind == _LOST:
            self.pictures.show_pictures(self.tr("only {} is wrong, {} is right").format(name, best), one.lost)
        else:
            self.pictures.show_pictures(self.tr("{} repairs what {} gets wrong").format(name, best), one.repaired)

    def _show_table(self, variants: tuple[RankedVariant, ...]) -> None:
        attacked = variants[0].robust is not None
        clean = (self.tr("Clean"), self.tr("Right when nobody attacks, with the 95 % interval"))
        robust = (self.tr("Under attack"), self.tr("Right under every attack, with the 95 % interval"))
        gap = (self.tr("Gap"), self.tr("Clean minus attacked, in points"))
        loses = self.tr("Pictures that the best has right and this one has not; click to see them")
        repairs = self.tr("Pictures that this one has right and the best has not; click to see them")
        test = self.tr("McNemar’s exact test against the best, corrected for the number of variants (Holm)")
        # what is judged and what can be clicked stand first, where a narrow window shows them
        headings = [
            (self.tr("Variant"), ""),
            robust if attacked else clean,
            (self.tr("Loses"), loses),
            (self.tr("Repairs"), repairs),
            (self.tr("p"), test),
            *([clean, gap] if attacked else []),
            (self.tr("Seconds"), self.tr("Of computing, for one picture")),
        ]
        self.table.set_table(headings, [self._row(rank, one, attacked) for rank, one in enumerate(variants, 1)])
        self.table.show_rows(len(variants))
        self._read.setText(self.tr("Choose a count by click or Return to see its pictures."))

    def _row(self, rank: int, one: RankedVariant, attacked: bool) -> list[Cell]:
        best = one.versus is None
        p = 1.0 if one.p_holm is None else one.p_holm
        clean = Cell(share(one.clean_accuracy, one.clean_interval), one.clean_accuracy)
        robust, gap = one.robust_accuracy or 0.0, one.gap or 0.0
        return [
            Cell(f"{rank}. {self._run.name(one)}", rank),
            Cell(share(robust, one.robust_interval), robust) if attacked else clean,
            Cell("–" if best else f"{len(one.lost):,}", len(one.lost)),
            Cell("–" if best else f"{len(one.repaired):,}", len(one.repaired)),
            Cell(self.tr("best") if best else p_value(p), -1.0 if best else p),
            *([clean, Cell(signed_points(gap), gap)] if attacked else []),
            Cell(number(one.seconds), one.seconds),
        ]
