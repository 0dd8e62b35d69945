"""One model: what it is, how it stands, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from capt_engine.records import OfferedModel
from capt_gui.pages.models.model_item import ModelItem, in_a_row
from capt_gui.theme import Theme, repolish
from capt_gui.view_models.models.models_model import PAUSED, Download, ModelsModel, comfort, size, standing
from capt_gui.widgets.fact_list import FactList
from capt_gui.widgets.labels import text

_STATE_ICONS = {"installed": ("check", "ok"), "bundled": ("check", "ok"), "partial": ("pause", "warning")}
_COMFORT_ROLES = {"comfortable": "ok", "slow": "warning", "too large": "broken"}


class ModelDetails(ModelItem):
    """Asks to be told which model to show. download_clicked(id), use_clicked(id): what the user wants of it."""

    download_clicked = Signal(str)
    folder_clicked = Signal()

    def __init__(self, theme: Theme, models: ModelsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._models = models
        self._shown: OfferedModel | None = None
        self._facts = FactList(
            {
                "here": self.tr("On this machine"),
                "size": self.tr("Size"),
                "figure": self.tr("Published"),
                "activation": self.tr("Activation"),
                "licence": self.tr("Licence"),
                "source": self.tr("Source"),
                "commit": self.tr("Commit"),
                "hash": self.tr("SHA-256"),
            }
        )
        self.bar = QProgressBar()
        self.progress = text("", "muted", wrap=False)
        self.pause = QPushButton()
        self.cancel = QPushButton(self.tr("Cancel"))
        self.download = QPushButton()
        self.folder = QPushButton(self.tr("Use a folder I already have…"))
        self.copy = QPushButton(self.tr("Copy the links for another computer"))
        self.page = QPushButton(self.tr("Read about it"))
        self._working = QFrame()
        self._lay_out()
        self._connect()
        self.show_model(None)

    def show_model(self, model: OfferedModel | None) -> None:
        """Show a model, or that none is chosen."""
        self._shown = model
        self.shown_id = model.id if model is not None else ""
        self.setEnabled(model is not None)
        if model is None:
            return
        underway = self._models.underway.get(model.id)
        self.title.setText(model.label)
        self.standing.setText(standing(model, underway))
        self.about.setText(model.purpose)
        self._facts.set_facts(self._facts_of(model))
        self._show_work(model, underway)
        self.on_theme_changed()

    def on_theme_changed(self) -> None:
        """Tint the marks."""
        if self._shown is None:
            return
        ratio = self.devicePixelRatioF()
        icon, role = _STATE_ICONS.get(self._shown.state, ("dot", "text_muted"))
        self.standing_mark.setPixmap(self._theme.pixmap(icon, 16, role, ratio))
        symbol = {"comfortable": "check", "slow": "warning", "too large": "error"}[self._shown.comfort]
        self._facts.mark("here").setPixmap(self._theme.pixmap(symbol, 16, _COMFORT_ROLES[self._shown.comfort], ratio))

    def on_pause(self) -> None:
        """Pause, or go on."""
        if self._shown is None:
            return
        underway = self._models.underway.get(self._shown.id)
        if underway is not None and underway.state == PAUSED:
            self._models.resume(self._shown.id)
        else:
            self._models.pause(self._shown.id)

    def on_cancel(self) -> None:
        """End the download; the part is kept."""
        if self._shown is not None:
            self._models.cancel(self._shown.id)

    def on_download(self) -> None:
        """The user wants it; the page asks before anything is fetched."""
        if self._shown is not None:
            self.download_clicked.emit(self._shown.id)

    def on_copy(self) -> None:
        """Put the addresses on the clipboard, one a line."""
        if self._shown is not None:
            QGuiApplication.clipboard().setText("\n".join(self._shown.files))

    def on_page(self) -> None:
        """Open the model's page in the browser: the user's own step onto the network."""
        if self._shown is not None:
            QDesktopServices.openUrl(QUrl(self._shown.page))

    def _facts_of(self, model: OfferedModel) -> dict[str, str]:
        revision = self.tr("newest") if model.revision == "main" else model.revision
        return {
            "here": comfort(model),
            "size": self.tr("{}, {:.0f} million parameters, pictures of {} × {} pixels").format(
                size(model.bytes, estimated=model.estimated), model.parameters / 1e6, model.size, model.size
            )
            if model.parameters
            else "–",
            "figure": model.figure or self.tr("none known to us"),
            "activation": model.activation,
            "licence": model.licence,
            "source": model.page
            or (self.tr("ships with the app") if model.state == "bundled" else self.tr("your own")),
            "commit": revision or "–",
            "hash": model.sha256 or (self.tr("not public: the hub's own is held to") if model.page else "–"),
        }

    def _show_work(self, model: OfferedModel, underway: Download | None) -> None:
        here = model.state in ("installed", "bundled")
        self._working.setVisible(underway is not None)
        self.download.setVisible(underway is None and not here)
        self.use.setVisible(here)
        for button in (self.copy, self.page):
            button.setVisible(bool(model.page))
        self.folder.setVisible(not here and underway is None)
        for button in (self.verify, self.remove):
            button.setVisible(model.state == "installed" and underway is None)
        words = self.tr("Resume the download…") if model.state == "partial" else self.tr("Download…")
        self.download.setText(words)
        offline = self._models.listed is not None and self._models.listed.offline
        self.download.setEnabled(not offline)
        self.download.setToolTip(self._models.listed.offline_reason if self._models.listed and offline else "")
        if underway is None:
            return
        self.bar.setRange(0, max(underway.total // 1000, 0))
        self.bar.setValue(underway.done // 1000)
        self.progress.setText(underway.progress_text)
        is_paused = underway.state == PAUSED
        self.pause.setText(self.tr("Resume") if is_paused else self.tr("Pause"))

    def _lay_out(self) -> None:
        self.download.setProperty("primary", True)
        self.page.setProperty("link", True)
        self.copy.setProperty("link", True)
        work = QHBoxLayout(self._working)
        work.setContentsMargins(0, 0, 0, 0)
        work.setSpacing(12)
        beside = QVBoxLayout()
        beside.addWidget(self.progress)
        beside.addWidget(self.bar)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the download"))
        self.cancel.setProperty("danger", True)
        work.addLayout(beside, 1)
        work.addWidget(self.pause)
        work.addWidget(self.cancel)
        content = QWidget()
        content.setProperty("transparent", True)
        inside = QVBoxLayout(content)
        inside.setContentsMargins(26, 22, 26, 22)
        inside.setSpacing(18)
        inside.addLayout(self.head())
        inside.addWidget(self.about)
        inside.addWidget(self._working)
        inside.addLayout(in_a_row(self.download, self.use, self.folder, self.verify, self.remove))
        inside.addWidget(self._facts)
        inside.addLayout(in_a_row(self.copy, self.page, spacing=2))
        inside.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def _connect(self) -> None:
        self.download.clicked.connect(self.on_download)
        self.folder.clicked.connect(self.folder_clicked)
        self.copy.clicked.connect(self.on_copy)
        self.page.clicked.connect(self.on_page)
        self.pause.clicked.connect(self.on_pause)
        self.cancel.clicked.connect(self.on_cancel)
        self._theme.changed.connect(self.on_theme_changed)
        for button in (self.download, self.use):
            button.setIconSize(QSize(16, 16))
            repolish(button)
