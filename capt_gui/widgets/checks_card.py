"""A card of the checks on a measurement, the failed ones first."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from capt_engine.records import Check
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import spoken
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import clear, fill

_LOOKS = {"fail": ("close", "broken"), "pass": ("check", "ok"), "not_run": ("minus", "text_muted")}
_ORDER = tuple(_LOOKS)


class ChecksCard(QWidget):
    """One line that sums up, the failed checks with what they mean, and all others in a fold.

    sentences: what the others mean stands there too, not only in their tooltips.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, sentences: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sentences = sentences
        self.summary = text()
        self._failed, self._others = QWidget(), QWidget()
        for box in (self._failed, self._others):
            grid = QGridLayout(box)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setHorizontalSpacing(10)
            grid.setVerticalSpacing(6)
            grid.setColumnStretch(1, 1)
        self._fold = Fold(theme, self.tr("All checks"), self._others)
        heading = text(self.tr("Can the measurement be believed?"), "heading")
        fill(QVBoxLayout(self), heading, self.summary, self._failed, self._fold)

    def set_checks(self, checks: tuple[Check, ...]) -> None:
        """Show the results of these checks on a measurement: how many passed, the failed ones, the others in a fold."""
        failed = [check for check in checks if check.status == "fail"]
        others = sorted(
            (check for check in checks if check.status != "fail"), key=lambda check: _ORDER.index(check.status)
        )
        passed = sum(check.status == "pass" for check in checks)
        summary = self.tr("{} of {} checks passed").format(passed, passed + len(failed))
        if left_out := len(checks) - passed - len(failed):
            summary += self.tr(", {} not run").format(left_out)
        if failed:
            summary += self.tr("; {} did not, so read the figures with care.").format(len(failed))
        else:
            summary += self.tr(". Nothing speaks against the figures.")
        self.summary.setText(summary)
        self._fill(self._failed, failed, in_full=True)
        self._fill(self._others, others, in_full=self._sentences)
        self._failed.setVisible(bool(failed))
        self._fold.setVisible(bool(others))

    def _fill(self, box: QWidget, checks: list[Check], *, in_full: bool) -> None:
        grid = box.layout()
        assert isinstance(grid, QGridLayout)
        clear(grid)
        for row, check in enumerate(checks):
            message = text(
                self.tr("{}. {}").format(spoken(check.title), spoken(check.message)) if in_full else spoken(check.title)
            )
            set_tooltip(message, spoken(check.message))
            status = {"fail": self.tr("failed"), "pass": self.tr("passed"), "not_run": self.tr("not run")}[check.status]
            message.setAccessibleName(f"{spoken(check.title)}: {status}. {spoken(check.message)}")
            mark = Symbol(self._theme, 14, *_LOOKS[check.status])
            grid.addWidget(mark, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(message, row, 1)
            grid.addWidget(text(spoken(check.shown), "caption", wrap=False), row, 2, Qt.AlignmentFlag.AlignTop)
