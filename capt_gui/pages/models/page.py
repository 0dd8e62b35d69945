"""The Models page: the list of models, one of them in full, and the promise about the network."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from capt_engine.records import DownloadResult, Failure, ModelsListed, OfferedModel
from capt_gui.pages.models.consent import ConsentDialog
from capt_gui.pages.models.details import ModelDetails
from capt_gui.pages.models.ledger_dialog import LedgerDialog
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.models_model import size, standing
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.labels import text
from capt_gui.widgets.run_list import RunEntry, RunList

_COLUMNS = [330, 900]


class ModelsPage(QWidget):
    """Models on the left, the chosen one on the right, the network below."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._models = desk.models
        self._chosen = ""
        # a test answers in the dialogs' place
        self.ask = self._ask
        self.banner = Banner(desk.theme)
        self._banner_room = QWidget()
        self.list = RunList(desk.theme)
        self.details = ModelDetails(desk.theme, desk.models)
        self.offline = QCheckBox(self.tr("Work offline, for good"))
        self.ledger = QPushButton(self.tr("What was downloaded…"))
        self._promise_mark, self._promise = QLabel(), text("", "caption", wrap=False)
        self._folder = QPushButton(self.tr("Open the models' folder"))
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        self._actions: dict[str, list[QAction | None]] = {"&View": [None, self._look_again()]}
        self._lay_out()
        self._connect()
        self.on_theme_changed()
        self.on_changed()

    def menus(self) -> dict[str, list[QAction | None]]:
        """The page's actions for the menu bar."""
        return self._actions

    def take(self, _mime: QMimeData) -> bool:
        """Nothing that can be dropped belongs here."""
        return False

    def open_paths(self, _paths: list[str]) -> None:
        """Paths of the command line are pictures, and not for this page."""

    def tell(self, message: str) -> None:
        """Show a sentence that belongs to no control."""
        self._say("info", message)

    def prepare(self) -> None:
        """There is nothing slow to make."""

    def leave(self) -> None:
        """Nothing to remember: downloads go on at the next start where they were."""

    def showEvent(self, event: QShowEvent) -> None:
        """Look again whenever the page comes to the front."""
        super().showEvent(event)
        self._models.refresh()

    def on_changed(self) -> None:
        """Show the list, the chosen model and the lock as they are now."""
        offered = self._models.offered
        if offered and self._models.offer(self._chosen) is None:
            self._chosen = offered[0].id
        self.list.set_entries([self._entry(one) for one in offered], [self._chosen] if offered else [])
        self.details.show_model(self._models.offer(self._chosen))
        listed = self._models.listed
        if listed is not None:
            self.offline.setChecked(listed.offline)
            self.offline.setToolTip(listed.offline_reason)
            room = self.tr("{} free").format(size(listed.free_bytes))
            words = (
                self.tr("The network is locked.")
                if listed.offline
                else self.tr("Nothing is fetched unless you ask, and pictures never leave this computer.")
            )
            self._promise.setText(f"{words}  {room}")
        self._theme_lock()

    def on_chosen(self, keys: list[str]) -> None:
        """Show another model."""
        if keys:
            self._chosen = keys[0]
            self.details.show_model(self._models.offer(self._chosen))

    def on_download(self, model: str) -> None:
        """Ask first; then fetch."""
        offer, listed = self._models.offer(model), self._models.listed
        if offer is not None and listed is not None and self.ask(offer, listed):
            self._models.download(model)

    def on_use(self, model: str) -> None:
        """Choose the model, and look at pictures with it."""
        self._desk.choices.set_model(model)
        self._desk.navigation.go(EXPLORE)

    def on_installed(self, result: DownloadResult) -> None:
        """Say that it is here."""
        offer = self._models.offer(result.model)
        label = offer.label if offer is not None else result.model
        self._say("done", self.tr("{} is here and verified").format(label), " ".join(result.notes))

    def on_failed(self, model: str, failure: Failure) -> None:
        """Say what went wrong with which model."""
        offer = self._models.offer(model)
        label = offer.label if offer is not None else model
        self._say("error", f"{label}: {failure.message}", failure.hint)

    def on_ledger(self) -> None:
        """Ask for the ledger; it is shown when it comes."""
        self._models.read_ledger()

    def on_recorded(self) -> None:
        """Show the ledger."""
        if self.isVisible():
            LedgerDialog(self._models.ledger, self).open()

    def on_offline(self) -> None:
        """Lock the network away, or give it back."""
        self._models.set_offline(self.offline.isChecked())

    def on_open_folder(self) -> None:
        """Show where models are kept."""
        if self._models.listed is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self._models.listed.folder))

    def on_theme_changed(self) -> None:
        """Tint the mark of the promise."""
        self._theme_lock()

    def _theme_lock(self) -> None:
        icon = "lock" if self.offline.isChecked() else "info"
        self._promise_mark.setPixmap(self._desk.theme.pixmap(icon, 16, "text_muted", self.devicePixelRatioF()))

    def _entry(self, model: OfferedModel) -> RunEntry:
        underway = self._models.underway.get(model.id)
        caption = " · ".join(
            (standing(model, underway), size(model.bytes, estimated=model.estimated), model.licence.split(" (")[0])
        )
        return RunEntry(model.id, model.label, caption, muted=model.state == "absent" and underway is None)

    def _ask(self, model: OfferedModel, listed: ModelsListed) -> bool:
        return ConsentDialog(model, listed, self).exec() == QDialog.DialogCode.Accepted

    def _say(self, kind: str, message: str, hint: str = "") -> None:
        self.banner.show_message(kind, message, hint)
        self._banner_room.show()

    def _look_again(self) -> QAction:
        action = QAction(self.tr("Look for models &again"), self)
        action.setShortcut(QKeySequence("F5"))
        action.triggered.connect(self._models.refresh)
        return action

    def _lay_out(self) -> None:
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setAccessibleName(self.tr("Models"))
        self.list.setAccessibleDescription(self.tr("Up and down choose a model"))
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(12, 12, 4, 8)
        column.setSpacing(8)
        title = text(self.tr("Models"), "heading", wrap=False)
        title.setBuddy(self.list)
        column.addWidget(title)
        column.addWidget(self.list, 1)
        card = QFrame()
        card.setProperty("card", True)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.details)
        right = QWidget()
        room = QVBoxLayout(right)
        room.setContentsMargins(8, 12, 12, 8)
        room.addWidget(card)
        self._columns.addWidget(left)
        self._columns.addWidget(right)
        self._columns.setStretchFactor(1, 1)
        self._columns.setChildrenCollapsible(False)
        self._columns.setSizes(_COLUMNS)
        left.setMinimumWidth(240)
        right.setMinimumWidth(520)
        below = QHBoxLayout()
        below.setContentsMargins(16, 4, 14, 8)
        below.setSpacing(8)
        below.addWidget(self._promise_mark)
        below.addWidget(self._promise)
        below.addStretch(1)
        for button in (self._folder, self.ledger):
            button.setProperty("link", True)
            below.addWidget(button)
        below.addWidget(self.offline)
        banner = QVBoxLayout(self._banner_room)
        banner.setContentsMargins(12, 8, 12, 0)
        banner.addWidget(self.banner)
        self._banner_room.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._banner_room)
        layout.addWidget(self._columns, 1)
        layout.addLayout(below)
        for button in (self._folder, self.ledger):
            button.setIconSize(QSize(16, 16))

    def _connect(self) -> None:
        models = self._models
        models.changed.connect(self.on_changed)
        models.installed.connect(self.on_installed)
        models.failed.connect(self.on_failed)
        models.recorded.connect(self.on_recorded)
        self.list.chosen.connect(self.on_chosen)
        self.details.download_clicked.connect(self.on_download)
        self.details.use_clicked.connect(self.on_use)
        self.ledger.clicked.connect(self.on_ledger)
        self.offline.clicked.connect(self.on_offline)
        self._folder.clicked.connect(self.on_open_folder)
        self.banner.dismissed.connect(self._banner_room.hide)
        self._desk.theme.changed.connect(self.on_theme_changed)
