"""The forecast of time and memory, found by a dry run of three steps."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.tune.method_model import MethodModel
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

_ICON = 20


class ForecastCard(QWidget):
    """Forecast of time and memory, with the machine and the size of the work below, and a bar during the trial."""

    def __init__(self, theme: Theme, method: MethodModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._method = method
        self._icon = Symbol(theme, _ICON)
        self.headline = text(role="heading")
        self.details = text(role="caption")
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Forecast"))
        self._long = text(self.tr("That is long. Quick gives a first answer in minutes."), "problem")
        self.quick = QPushButton(self.tr("Use Quick"))
        self.quick.setAccessibleName(self.tr("Use the preset Quick"))
        self._suggestion = QWidget()
        about = fill(QVBoxLayout(), self.headline, self._bar, self.details, spacing=4)
        head = fill(QHBoxLayout(), (self._icon, 0, Qt.AlignmentFlag.AlignTop), (about, 1), spacing=10)
        fill(QHBoxLayout(self._suggestion), (self._long, 1), self.quick, spacing=6, margins=(30, 0, 0, 0))
        fill(QVBoxLayout(self), head, self._suggestion)
        self.quick.clicked.connect(method.take_quick)
        method.changed.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show how long tuning would take and how much memory, as far as that is known, or why it is not."""
        method = self._method
        headline, details = method.forecast_text()
        failed = method.failure is not None and not method.is_trying
        self.headline.setText(headline)
        self.details.setText(details)
        self.details.setVisible(bool(details))
        self._bar.setVisible(method.is_trying and not method.problem())
        self._suggestion.setVisible(method.suggests_quick)
        self._icon.set_icon(*(("warning", "warning") if failed else ("device", "text_muted")))
        self.setAccessibleName(f"{headline}. {details}")
