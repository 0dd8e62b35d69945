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
    QMessageBox,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from capt_engine.records import (
    DownloadResult,
    Failure,
    ModelInfo,
    ModelsListed,
    OfferedModel,
    Removed,
    RemoveRequest,
    SanityScore,
    Verified,
    VerifyRequest,
)
from capt_gui.pages.models.consent import ConsentDialog
from capt_gui.pages.models.details import ModelDetails
from capt_gui.pages.models.import_dialog import ImportModelDialog, ImportPromptsDialog, score_words
from capt_gui.pages.models.ledger_dialog import LedgerDialog
from capt_gui.pages.models.prompts_details import PromptsDetails
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.models.install_job import InstallJob
from capt_gui.view_models.models.models_model import size, standing
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.labels import text
from capt_gui.widgets.run_list import RunEntry, RunList
from capt_gui.widgets.segments import Segments

_COLUMNS = [330, 900]
MODELS_LIST, PROMPTS_LIST = "models", "prompts"


class ModelsPage(QWidget):
    """Models on the left, the chosen one on the right, the network below."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._models = desk.models
        self._chosen = {MODELS_LIST: "", PROMPTS_LIST: ""}
        self._kind = MODELS_LIST
        # a test answers in the dialogs' place
        self.ask = self._ask
        self.sure = self._sure
        self.banner = Banner(desk.theme)
        self._banner_room = QWidget()
        self.install = InstallJob(desk.bridge, self)
        self.kind = Segments(
            desk.theme,
            self.tr("List"),
            (
                (MODELS_LIST, self.tr("Models"), self.tr("Backbones: bundled, to be had, installed")),
                (PROMPTS_LIST, self.tr("Prompts"), self.tr("Prompt checkpoints: those that ship, and your own")),
            ),
        )
        self.list = RunList(desk.theme)
        self.bring = QPushButton()
        self.details = ModelDetails(desk.theme, desk.models)
        self.prompts = PromptsDetails()
        self._pages = QStackedWidget()
        self.offline = QCheckBox(self.tr("Work offline"))
        self.ledger = QPushButton(self.tr("What was downloaded…"))
        self._promise_mark, self._promise = QLabel(), text("", "caption", wrap=False)
        self._folder = QPushButton(self.tr("Open the models' folder"))
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        self._actions: dict[str, list[QAction | None]] = {"&View": [None, self._look_again()]}
        self._lay_out()
        self._connect()
        self.on_theme_changed()
        self.on_kind(MODELS_LIST)

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
        """Show the list, what is chosen of it, and the lock as they are now."""
        entries = self._entries()
        keys = [entry.key for entry in entries]
        if keys and self._chosen[self._kind] not in keys:
            self._chosen[self._kind] = keys[0]
        self.list.set_entries(entries, [self._chosen[self._kind]] if keys else [])
        self._show_chosen()
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

    def on_kind(self, kind: str) -> None:
        """Show the other list."""
        self._kind = kind
        self.kind.set_choice(kind)
        is_models = kind == MODELS_LIST
        self._pages.setCurrentWidget(self.details if is_models else self.prompts)
        self.bring.setText(self.tr("Use a model that you have…") if is_models else self.tr("Import published prompts…"))
        self.list.setAccessibleName(self.tr("Models") if is_models else self.tr("Prompts"))
        self.on_changed()

    def on_chosen(self, keys: list[str]) -> None:
        """Show another one."""
        if keys:
            self._chosen[self._kind] = keys[0]
            self._show_chosen()

    def on_bring(self) -> None:
        """Import a model or prompts."""
        models = self._catalogue_models()
        make = ImportModelDialog if self._kind == MODELS_LIST else ImportPromptsDialog
        make(self._desk.theme, self.install, models, self).open()

    def on_use_prompts(self, name: str) -> None:
        """Compare prompts with plain text, on the model they were made for."""
        info = self._desk.model.sides.info(name)
        if info is not None and info.model:
            self._desk.model.set_model(info.model)
        self._desk.model.sides.set_b(name)
        self._desk.navigation.go(EXPLORE)

    def on_verify(self, name: str) -> None:
        """Hash what is installed again."""
        self.install.start(VerifyRequest("model" if self._kind == MODELS_LIST else "prompts", name))

    def on_remove(self, name: str) -> None:
        """Ask, and delete."""
        if self.sure(name):
            self.install.start(RemoveRequest("model" if self._kind == MODELS_LIST else "prompts", name))

    def on_install_done(self, result: object) -> None:
        """Say what was verified or removed; an import says so in its own dialog."""
        if isinstance(result, Verified):
            files = self.tr("1 file") if result.n_files == 1 else self.tr("{} files").format(result.n_files)
            self._say("done", self.tr("{} is what was installed").format(result.name), files)
        elif isinstance(result, Removed):
            self._say("info", self.tr("{} is removed").format(result.name))
        self._models.refresh()

    def on_install_failed(self, failure: Failure) -> None:
        """Say what went wrong."""
        self._say("error", failure.message, failure.hint)

    def on_download(self, model: str) -> None:
        """Download a model, if the user agrees."""
        offer, listed = self._models.offer(model), self._models.listed
        if offer is not None and listed is not None and self.ask(offer, listed):
            self._models.download(model)

    def on_use(self, model: str) -> None:
        """Choose the model, and look at pictures with it."""
        self._desk.model.set_model(model)
        self._desk.navigation.go(EXPLORE)

    def on_installed(self, result: DownloadResult) -> None:
        """Say that it is here."""
        offer = self._models.offer(result.model)
        label = offer.label if offer is not None else result.model
        self._say("done", self.tr("{} is here and verified").format(label), " ".join(result.notes))

    def on_scored(self, model: str, score: SanityScore) -> None:
        """Say how a model that has just come did on a few pictures."""
        offer = self._models.offer(model)
        label = offer.label if offer is not None else model
        self._say(
            "warning" if score.warning else "done", self.tr("{} is here and verified").format(label), score_words(score)
        )

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

    def _show_chosen(self) -> None:
        if self._kind == MODELS_LIST:
            name = self._chosen[MODELS_LIST]
            self.details.show_model(self._models.offer(name) or self._other(name))
            return
        info = self._desk.model.sides.info(self._chosen[PROMPTS_LIST])
        self.prompts.show_prompts(info, self._desk.model.label(info.model) if info is not None else "")

    def _entries(self) -> list[RunEntry]:
        if self._kind == MODELS_LIST:
            others = self._models.listed.others if self._models.listed else ()
            mine = [RunEntry(name, name, self.tr("Installed · your own")) for name in others]
            return mine + [self._entry(one) for one in self._models.offered]
        catalogue = self._desk.model.catalogue
        return [
            RunEntry(
                info.id,
                info.label,
                " · ".join(
                    (
                        self.tr("Ships with the app") if info.bundled else self.tr("Your own"),
                        self._desk.model.label(info.model),
                    )
                ),
            )
            for info in (catalogue.prompts if catalogue is not None else ())
        ]

    def _other(self, name: str) -> OfferedModel | None:
        """An installed model that is not on the curated list."""
        if self._models.listed is None or name not in self._models.listed.others:
            return None
        return OfferedModel(
            name, name, self.tr("Installed from a file or folder of yours."), "–", 0, 0, "–", "", state="installed"
        )

    def _catalogue_models(self) -> tuple[ModelInfo, ...]:
        catalogue = self._desk.model.catalogue
        return catalogue.models if catalogue is not None else ()

    def _sure(self, name: str) -> bool:
        question = QMessageBox(
            QMessageBox.Icon.Question,
            self.tr("Remove"),
            self.tr("Delete {} from this computer?").format(name),
            QMessageBox.StandardButton.Cancel,
            self,
        )
        remove = question.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        question.exec()
        return question.clickedButton() is remove

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
        column.addWidget(self.kind)
        column.addWidget(self.list, 1)
        column.addWidget(self.bring)
        card = QFrame()
        card.setProperty("card", True)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self.details)
        self._pages.addWidget(self.prompts)
        inside.addWidget(self._pages)
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
        models.scored.connect(self.on_scored)
        self.details.folder_clicked.connect(self.on_bring)
        models.recorded.connect(self.on_recorded)
        self.kind.picked.connect(self.on_kind)
        self.list.chosen.connect(self.on_chosen)
        self.bring.clicked.connect(self.on_bring)
        self.prompts.use_clicked.connect(self.on_use_prompts)
        for details in (self.details, self.prompts):
            details.verify_clicked.connect(self.on_verify)
            details.remove_clicked.connect(self.on_remove)
        self.install.done.connect(self.on_install_done)
        self.install.failed.connect(self.on_install_failed)
        self._desk.model.offered.connect(self.on_changed)
        self.details.download_clicked.connect(self.on_download)
        self.details.use_clicked.connect(self.on_use)
        self.ledger.clicked.connect(self.on_ledger)
        self.offline.clicked.connect(self.on_offline)
        self._folder.clicked.connect(self.on_open_folder)
        self.banner.dismissed.connect(self._banner_room.hide)
        self._desk.theme.changed.connect(self.on_theme_changed)
