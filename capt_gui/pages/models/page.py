"""The Models page: the list of models, one of them in full, and the promise about the network."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from capt_engine.records import (
    DownloadResult,
    Failure,
    ModelsListed,
    OfferedModel,
    PutBack,
    PutBackRequest,
    Removed,
    RemoveRequest,
    SanityScore,
    Verified,
    VerifyRequest,
)
from capt_gui.pages.models.consent import ConsentDialog
from capt_gui.pages.models.details import ModelDetails
from capt_gui.pages.models.import_dialog import ImportModelDialog, ImportPromptsDialog, score_text
from capt_gui.pages.models.ledger_dialog import LedgerDialog
from capt_gui.pages.models.prompts_details import PromptsDetails
from capt_gui.panels.page import Page
from capt_gui.plain_text import set_tooltip
from capt_gui.translate import spoken
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.models.install_job import InstallJob
from capt_gui.view_models.models.models_model import size, standing
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.card import Card
from capt_gui.widgets.columns import columns
from capt_gui.widgets.confirmation import confirm
from capt_gui.widgets.dialogs import answer_of, open_over
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.layout import fill
from capt_gui.widgets.run_list import RunEntry, RunList
from capt_gui.widgets.segments import Segments

_COLUMNS = [330, 900]
MODELS_LIST, PROMPTS_LIST = "models", "prompts"


class ModelsPage(Page):
    """Page with the list of models or prompts, the details of the chosen one, and the network settings below."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._models = desk.models
        self._chosen = {MODELS_LIST: "", PROMPTS_LIST: ""}
        self._kind = MODELS_LIST
        # a test answers in the dialogs' place
        self.ask = self._ask
        self.sure = self._sure
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
        self.prompts = PromptsDetails(desk.theme)
        self._pages = QStackedWidget()
        self.offline = QCheckBox(self.tr("Work offline"))
        self.ledger = QPushButton(self.tr("What was downloaded…"))
        self._promise_mark = Symbol(desk.theme, 16)
        self._promise = ElidedLabel()
        self._folder = QPushButton(self.tr("Open the models' folder"))
        again = self.add_action(self.tr("Look for models &again"), self._models.refresh, "F5")
        self.actions_by_menu = {"&View": [None, again]}
        self._lay_out()
        self._connect()
        self.on_kind(MODELS_LIST)

    def showEvent(self, event: QShowEvent) -> None:
        """List the models again, without network, as the page comes to the front; Qt handles `event` too."""
        super().showEvent(event)
        self._models.refresh()

    def on_changed(self) -> None:
        """Show the list of models or prompts, the details of the chosen one, the free disk space, and the state of the network lock."""
        entries = self._entries()
        keys = [entry.key for entry in entries]
        if keys and self._chosen[self._kind] not in keys:
            self._chosen[self._kind] = keys[0]
        self.list.set_entries(entries, [self._chosen[self._kind]] if keys else [])
        self._show_chosen()
        listed = self._models.listed
        if listed is not None:
            self.offline.setChecked(listed.offline)
            set_tooltip(self.offline, spoken(listed.offline_reason))
            room = self.tr("{} free").format(size(listed.free_bytes))
            promise = (
                self.tr("The network is locked.")
                if listed.offline
                else self.tr("Nothing is fetched unless you ask, and pictures never leave this computer.")
            )
            self._promise.set_text(f"{promise}  {room}")
        self._promise_mark.set_icon("lock" if self.offline.isChecked() else "info", "text_muted")

    def on_kind(self, kind: str) -> None:
        """Show the list that `kind`, "models" or "prompts", names, and the details of the entry chosen there."""
        self._kind = kind
        self.kind.set_choice(kind)
        is_models = kind == MODELS_LIST
        self._pages.setCurrentWidget(self.details if is_models else self.prompts)
        self.bring.setText(self.tr("Use a model that you have…") if is_models else self.tr("Import published prompts…"))
        self.list.setAccessibleName(self.tr("Models") if is_models else self.tr("Prompts"))
        self.on_changed()

    def on_chosen(self, keys: list[str]) -> None:
        """Show the details of the first of `keys`, the ids of models or prompts chosen in the list; do nothing without one."""
        if keys:
            self._chosen[self._kind] = keys[0]
            self._show_chosen()

    def on_bring(self) -> None:
        """Open the dialog that imports a model, or the one for prompts if the list of prompts is shown."""
        models = self.desk.model.catalogue.models
        if self._kind == MODELS_LIST:
            dialog = ImportModelDialog(self.desk.theme, self.install, models, self)
            listed = self._models.listed
            offered = () if listed is None else listed.offered
            for model in (one for one in offered if one.id == self.details.shown_id and one.base):
                dialog.suggest(model.id, model.base)
            open_over(dialog)
        else:
            open_over(ImportPromptsDialog(self.desk.theme, self.install, models, self))

    def on_use_prompts(self) -> None:
        """Choose the shown prompts as variant B, compared with A, and the model they were made for; show the Explore page."""
        name = self.prompts.shown_id
        info = self.desk.model.sides.info(name)
        if info is not None and info.model:
            self.desk.model.set_model(info.model)
        self.desk.model.sides.set_b(name)
        self.desk.navigation.go(EXPLORE)

    def on_verify(self) -> None:
        """Start to hash the files of the shown model or prompts, and to compare that with the hashes of their installation."""
        self.install.start(VerifyRequest(*self._installed()))

    def on_remove(self) -> None:
        """Ask the user to confirm, then move the shown model or prompts to the trash; refused, do nothing."""
        kind, name = self._installed()
        if self.sure(name):
            self.install.start(RemoveRequest(kind, name))

    def on_install_done(self, result: object) -> None:
        """Show in the banner that `result` verified, removed or brought back something, and list the models again.

        The result of an import is shown by its own dialog.
        """
        if isinstance(result, Verified):
            files = self.tr("1 file") if result.n_files == 1 else self.tr("{} files").format(result.n_files)
            self.say("done", self.tr("{} is what was installed").format(result.name), files)
        elif isinstance(result, Removed):
            self._show_removed(result)
        elif isinstance(result, PutBack):
            self.say("done", self.tr("{} is back").format(result.name))
        self._models.refresh()

    def on_download(self) -> None:
        """Ask the user for consent to download the shown model, and start it if given; refused, do nothing."""
        model = self.details.shown_id
        offer, listed = self._models.offer(model), self._models.listed
        if offer is not None and listed is not None and self.ask(offer, listed):
            self._models.download(model)

    def on_use(self) -> None:
        """Choose the shown model for analyses, and show the Explore page."""
        self.desk.model.set_model(self.details.shown_id)
        self.desk.navigation.go(EXPLORE)

    def on_installed(self, result: DownloadResult) -> None:
        """Show in the banner that the model of `result`, a download, is installed and verified."""
        title = self.tr("{} is here and verified").format(self._label(result.model))
        self.say("done", title, " ".join(map(spoken, result.notes)))

    def on_scored(self, model: str, score: SanityScore) -> None:
        """Show in the banner the `score` of the downloaded model with the id `model` on a few labelled pictures."""
        title = self.tr("{} is here and verified").format(self._label(model))
        self.say("warning" if score.warning else "done", title, score_text(score))

    def on_download_failed(self, model: str, failure: Failure) -> None:
        """Show in the banner the `failure` of the download of the model with the id `model`."""
        self.say("error", f"{self._label(model)}: {failure.message}", failure.hint)

    def on_recorded(self) -> None:
        """Show the record of all downloads, which was just read, in a dialog; do nothing while the page is hidden."""
        if self.isVisible():
            open_over(LedgerDialog(self._models.ledger, self))

    def on_offline(self) -> None:
        """Forbid every use of the network, or allow it again, as the checkbox "Work offline" says."""
        self._models.set_offline(self.offline.isChecked())

    def on_open_folder(self) -> None:
        """Open the folder of installed models in the system's file manager; do nothing while it is not known."""
        if self._models.listed is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self._models.listed.folder))

    def _installed(self) -> tuple[str, str]:
        """The kind and the name of what is chosen, as requests name them."""
        return ("model", self.details.shown_id) if self._kind == MODELS_LIST else ("prompts", self.prompts.shown_id)

    def _label(self, model: str) -> str:
        offer = self._models.offer(model)
        return spoken(offer.label) if offer is not None else model

    def _show_chosen(self) -> None:
        if self._kind == MODELS_LIST:
            name = self._chosen[MODELS_LIST]
            self.details.show_model(self._models.offer(name) or self._other(name))
            return
        info = self.desk.model.sides.info(self._chosen[PROMPTS_LIST])
        self.prompts.show_prompts(info, self.desk.model.label(info.model) if info is not None else "")

    def _entries(self) -> list[RunEntry]:
        if self._kind == MODELS_LIST:
            others = self._models.listed.others if self._models.listed else ()
            mine = [RunEntry(name, name, self.tr("Installed · your own")) for name in others]
            return mine + [self._entry(one) for one in self._models.offered]
        catalogue = self.desk.model.catalogue
        return [
            RunEntry(
                info.id,
                info.label,
                " · ".join(
                    (
                        self.tr("Ships with the app") if info.bundled else self.tr("Your own"),
                        self.desk.model.label(info.model),
                    )
                ),
            )
            for info in catalogue.prompts
        ]

    def _other(self, name: str) -> OfferedModel | None:
        """An installed model that is not on the curated list."""
        if self._models.listed is None or name not in self._models.listed.others:
            return None
        return OfferedModel(
            name, name, self.tr("Installed from a file or folder of yours."), "–", 0, 0, "–", "", state="installed"
        )

    def _sure(self, name: str) -> bool:
        hint = self.tr("It can be put back as long as the trash holds it.")
        return confirm(self, self.tr("Remove"), self.tr("Remove {}?").format(name), self.tr("Remove"), hint)

    def _show_removed(self, removed: Removed) -> None:
        title = self.tr("{} is removed").format(removed.name)
        if not removed.is_kept:
            self.say("info", title, removed.emptied)
            return
        back = partial(self.install.start, PutBackRequest(removed.kind, removed.name))
        self.offer("info", title, removed.emptied, (self.tr("Put it back"), back))

    def _entry(self, model: OfferedModel) -> RunEntry:
        underway = self._models.underway.get(model.id)
        caption = " · ".join(
            (
                standing(model, underway),
                size(model.bytes, estimated=model.estimated),
                spoken(model.licence.split(" (")[0]),
            )
        )
        return RunEntry(model.id, spoken(model.label), caption, muted=model.state == "absent" and underway is None)

    def _ask(self, model: OfferedModel, listed: ModelsListed) -> bool:
        return answer_of(ConsentDialog(model, listed, self)) == QDialog.DialogCode.Accepted

    def _lay_out(self) -> None:
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setAccessibleName(self.tr("Models"))
        self.list.setAccessibleDescription(self.tr("Up and down choose a model"))
        self._pages.addWidget(self.details)
        self._pages.addWidget(self.prompts)
        left, right = QWidget(), QWidget()
        fill(QVBoxLayout(left), self.kind, (self.list, 1), self.bring, margins=(12, 12, 4, 8))
        fill(QVBoxLayout(right), Card(self._pages, 0), margins=(8, 12, 12, 8))
        for button in (self._folder, self.ledger):
            button.setProperty("link", True)
        promise = (self._promise_mark, (self._promise, 1), self._folder, self.ledger, self.offline)
        below = fill(QHBoxLayout(), *promise, margins=(16, 4, 14, 8))
        self.lay_out(columns((left, 0, 240), (right, 1, 520), sizes=_COLUMNS), below)

    def _connect(self) -> None:
        models = self._models
        models.changed.connect(self.on_changed)
        models.installed.connect(self.on_installed)
        models.failed.connect(self.on_download_failed)
        models.scored.connect(self.on_scored)
        self.details.folder.clicked.connect(self.on_bring)
        models.recorded.connect(self.on_recorded)
        self.kind.picked.connect(self.on_kind)
        self.list.chosen.connect(self.on_chosen)
        self.bring.clicked.connect(self.on_bring)
        self.prompts.use.clicked.connect(self.on_use_prompts)
        for details in (self.details, self.prompts):
            details.verify.clicked.connect(self.on_verify)
            details.remove.clicked.connect(self.on_remove)
        self.install.done.connect(self.on_install_done)
        self.install.failed.connect(self.on_failed)
        self.desk.model.offered.connect(self.on_changed)
        self.details.download.clicked.connect(self.on_download)
        self.details.use.clicked.connect(self.on_use)
        self.ledger.clicked.connect(models.read_ledger)
        self.offline.clicked.connect(self.on_offline)
        self._folder.clicked.connect(self.on_open_folder)
