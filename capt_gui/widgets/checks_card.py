"""A card of the checks on a measurement, the failed ones first."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from capt_engine.records import Check
from capt_gui.theme import Theme
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.labels import text

_ICON = 14
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
        self._marks: list[tuple[QLabel, str]] = []
        self.summary = text()
        self._failed, self._others = QWidget(), QWidget()
        for box in (self._failed, self._others):
            grid = QGridLayout(box)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setHorizontalSpacing(10)
            grid.setVerticalSpacing(6)
            grid.setColumnStretch(1, 1)
        self._fold = Fold(theme, self.tr("All checks"), self._others)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(text(self.tr("Can the measurement be believed?"), "heading"))
        for widget in (self.summary, self._failed, self._fold):
            layout.addWidget(widget)
        theme.changed.connect(self._retint)

    def set_checks(self, checks: tuple[Check, ...]) -> None:
        """Show these checks."""
        self._marks = []
        failed = [check for check in checks if check.status == "fail"]
        others = sorted(
            (check for check in checks if check.status != "fail"), key=lambda check: _ORDER.index(check.status)
        )
        passed = sum(check.status == "pass" for check in checks)
        words = self.tr("{} of {} checks passed").format(passed, passed + len(failed))
        if failed:
            words += self.tr("; {} did not, so read the figures with care.").format(len(failed))
        else:
            words += self.tr(". Nothing speaks against the figures.")
        self.summary.setText(words)
        self._fill(self._failed, failed, in_full=True)
        self._fill(self._others, others, in_full=self._sentences)
        self._failed.setVisible(bool(failed))
        self._fold.setVisible(bool(others))
        self._retint()

    def _fill(self, box: QWidget, checks: list[Check], *, in_full: bool) -> None:
        grid = box.layout()
        assert isinstance(grid, QGridLayout)
        while (item := grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for row, check in enumerate(checks):
            mark = QLabel()
            self._marks.append((mark, check.status))
            words = text(f"{check.title}. {check.message}" if in_full else check.title)
            words.setToolTip(check.message)
            words.setAccessibleName(f"{check.title}: {check.status}. {check.message}")
            grid.addWidget(mark, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(words, row, 1)
            grid.addWidget(text(check.shown, "caption", wrap=False), row, 2, Qt.AlignmentFlag.AlignTop)

    def _retint(self) -> None:
        for mark, status in self._marks:
            name, role = _LOOKS[status]
            mark.setPixmap(self._theme.pixmap(name, _ICON, role, self.devicePixelRatioF()))
