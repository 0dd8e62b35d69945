"""One model: what it is, how it stands, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from capt_engine.records import OfferedModel
from capt_gui.pages.models.model_item import ModelItem
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import spoken
from capt_gui.view_models.models.models_model import PAUSED, Download, ModelsModel, comfort, size, standing
from capt_gui.widgets.fact_list import FactList
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.scrolled import scrolled

_STATE_ICONS = {"installed": ("check", "ok"), "bundled": ("check", "ok"), "partial": ("pause", "warning")}
_COMFORT_ICONS = {"comfortable": ("check", "ok"), "slow": ("warning", "warning"), "too large": ("error", "broken")}


class ModelDetails(ModelItem):
    """Shows the model that `show_model` names; the page connects `download` and `folder` too."""

    def __init__(self, theme: Theme, models: ModelsModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._models = models
        self._shown: OfferedModel | None = None
        self._facts = FactList(
            theme,
            {
                "here": self.tr("On this machine"),
                "size": self.tr("Size"),
                "figure": self.tr("Published"),
                "activation": self.tr("Activation"),
                "licence": self.tr("Licence"),
                "source": self.tr("Source"),
                "commit": self.tr("Commit"),
                "hash": self.tr("SHA-256"),
            },
            codes=("commit", "hash"),
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
        self.copy.clicked.connect(self.on_copy)
        self.page.clicked.connect(self.on_page)
        self.pause.clicked.connect(self.on_pause)
        self.cancel.clicked.connect(self.on_cancel)
        self.show_model(None)

    def show_model(self, model: OfferedModel | None) -> None:
        """Show the facts of `model`, its download if one is under way, and the possible actions; None disables the details."""
        self._shown = model
        self.shown_id = model.id if model is not None else ""
        self.setEnabled(model is not None)
        if model is None:
            return
        underway = self._models.underway.get(model.id)
        self.title.setText(spoken(model.label))
        self.standing.setText(standing(model, underway))
        self.about.setText(self._about(model))
        self._facts.set_facts(self._facts_of(model))
        self._show_work(model, underway)
        self.standing_mark.set_icon(*_STATE_ICONS.get(model.state, ("dot", "text_muted")))
        self._facts.mark("here").set_icon(*_COMFORT_ICONS[model.comfort])

    def _about(self, model: OfferedModel) -> str:
        """The purpose; of a tower that nobody may fetch for the user also how it comes here."""
        if not model.base or model.state == "installed":
            return spoken(model.purpose)
        how = self.tr(
            "Its authors publish the image tower alone, and not at the hub: fetch the file in your browser (Copy the links), "
            "then bring it in. It is called {} here, and tuned from {}."
        )
        return f"{spoken(model.purpose)} {how.format(model.id, model.base)}"

    def on_pause(self) -> None:
        """Pause the download of the shown model, or resume it if it is paused."""
        if underway := self._models.underway.get(self.shown_id):
            (underway.job.resume if underway.state == PAUSED else underway.job.pause)()

    def on_cancel(self) -> None:
        """Cancel the download of the shown model; the part that was downloaded stays on disk."""
        if underway := self._models.underway.get(self.shown_id):
            underway.job.cancel()

    def on_copy(self) -> None:
        """Put the web addresses of the shown model's files on the clipboard, one a line."""
        if self._shown is not None:
            QGuiApplication.clipboard().setText("\n".join(self._shown.files))

    def on_page(self) -> None:
        """Open the web page about the shown model in the browser."""
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
            "figure": spoken(model.figure) or self.tr("none known to us"),
            "activation": spoken(model.activation),
            "licence": spoken(model.licence),
            "source": model.page
            or (self.tr("ships with the app") if model.state == "bundled" else self.tr("your own")),
            "commit": revision or "–",
            "hash": model.sha256 or (self.tr("not public: the hub's own is held to") if model.repo else "–"),
        }

    def _show_work(self, model: OfferedModel, underway: Download | None) -> None:
        here = model.state in ("installed", "bundled")
        self._working.setVisible(underway is not None)
        self.download.setVisible(underway is None and not here and not model.base)
        self.use.setVisible(here)
        for button in (self.copy, self.page):
            button.setVisible(bool(model.page))
        self.folder.setVisible(not here and underway is None)
        self.folder.setText(self.tr("Bring in the file…") if model.base else self.tr("Use a folder I already have…"))
        for button in (self.verify, self.remove):
            button.setVisible(model.state == "installed" and underway is None)
        is_partial = model.state == "partial"
        self.download.setText(self.tr("Resume the download…") if is_partial else self.tr("Download…"))
        listed = self._models.listed
        offline = listed is not None and listed.offline
        self.download.setEnabled(not offline)
        set_tooltip(self.download, spoken(listed.offline_reason) if listed is not None and offline else "")
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
        self.cancel.setProperty("danger", True)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the download"))
        beside = fill(QVBoxLayout(), self.progress, self.bar, spacing=12)
        fill(QHBoxLayout(self._working), (beside, 1), self.pause, self.cancel, spacing=12)
        buttons = (self.download, self.use, self.folder, self.verify, self.remove)
        content = QWidget()
        content.setProperty("transparent", True)
        fill(
            QVBoxLayout(content),
            self.head,
            self.about,
            self._working,
            fill(QHBoxLayout(), *buttons, (None, 1), spacing=10),
            self._facts,
            fill(QHBoxLayout(), self.copy, self.page, (None, 1), spacing=2),
            (None, 1),
            spacing=18,
            margins=(26, 22, 26, 22),
        )
        area = scrolled(content)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        fill(QVBoxLayout(self), area)
