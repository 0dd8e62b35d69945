"""Whether it helped, in words, with the figures it rests on; while it is measured, how far that is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme, repolish
from capt_gui.view_models.tune_result import TuneResultModel
from capt_gui.widgets.labels import text

_ICON = 28
_LOOKS = {
    "better": ("check", "ok"),
    "worse": ("close", "broken"),
    "unclear": ("minus", "text_muted"),
    "failed": ("warning", "warning"),
    "": ("evaluate", "text_muted"),
}


class VerdictCard(QFrame):
    """A symbol, a sentence, its figures, what to try next; and the button that measures once more."""

    def __init__(self, theme: Theme, result: TuneResultModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._result = result
        self._symbol = QLabel()
        self.headline = text(role="title")
        self.figures = text()
        self.share = text(role="caption")
        self.advice = text()
        self._words = text(role="muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of measuring"))
        self.button = QPushButton()
        for label in (self.headline, self.figures, self.advice):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._lay_out()
        self.button.clicked.connect(self.on_clicked)
        result.changed.connect(self.on_changed)
        result.progressed.connect(self.on_progressed)
        theme.changed.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the verdict, or why there is none yet."""
        result = self._result
        effect = "" if result.is_measuring else result.effect()
        look = "failed" if result.failure is not None and not effect else effect
        headline, figures = result.headline()
        if result.is_measuring or not headline:
            headline, figures = self._waiting()
        self.headline.setText(headline)
        self.figures.setText(figures)
        self.figures.setVisible(bool(figures))
        share = "" if result.is_measuring else result.share_words()
        self.share.setText(share)
        self.share.setVisible(bool(share))
        tips = () if result.is_measuring else result.advice()
        tried = self.tr("What to try:") + "".join(f"\n–  {tip}" for tip in tips)
        self.advice.setText(tried if tips else "")
        self.advice.setVisible(bool(tips))
        verdict = effect or "unclear"
        if self.property("verdict") != verdict:
            self.setProperty("verdict", verdict)
            repolish(self)
        name, role = _LOOKS[look]
        self._symbol.setPixmap(self._theme.pixmap(name, _ICON, role, self.devicePixelRatioF()))
        fresh = result.result is None and result.failure is None
        words = self.tr("Stop measuring") if result.is_measuring else self.tr("Measure")
        self.button.setText(words if result.is_measuring or fresh else self.tr("Measure again"))
        self.button.setAccessibleName(self.button.text())
        self.setAccessibleName(headline)
        self.setAccessibleDescription(figures)
        self.on_progressed()

    def on_progressed(self) -> None:
        """Move the bar."""
        result = self._result
        for widget in (self._bar, self._words):
            widget.setVisible(result.is_measuring)
        self._bar.setRange(0, result.total)
        self._bar.setValue(result.done)
        self._words.setText(result.words)
        self._bar.setAccessibleDescription(result.words)

    def on_clicked(self) -> None:
        """Stop, or measure once more."""
        if self._result.is_measuring:
            self._result.cancel()
        elif self._result.result is None and self._result.failure is None:
            self._result.measure()
        else:
            self._result.measure_again()

    def _waiting(self) -> tuple[str, str]:
        result = self._result
        if result.is_measuring:
            words = self.tr(
                "Plain text and the tuned prompts answer the same pictures, which tuning never saw, each attacked by {}."
            )
            return self.tr("Measuring on the test pictures"), words.format(result.attack_words())
        if result.failure is not None:
            return result.failure.message, result.failure.hint
        return self.tr("Not measured yet"), self.tr("The test pictures wait, untouched.")

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(8)
        for widget in (self.headline, self.figures, self.share, self._bar, self._words, self.advice):
            words.addWidget(widget)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 16)
        layout.setSpacing(14)
        layout.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
