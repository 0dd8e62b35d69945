"""The help in a window of its own: contents and search on the left, the page on the right, back and forward above."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from capt_gui.panels.help.help_browser import HelpBrowser
from capt_gui.plain_text import plain
from capt_gui.theme import Theme
from capt_gui.view_models.help.library import FIRST, Library, address, contents
from capt_gui.widgets.actions import make_action
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

_SIZE = QSize(940, 640)
_ADDRESS = Qt.ItemDataRole.UserRole


class HelpWindow(QDialog):
    """Stays open beside the main window; what it shows ships with the program."""

    def __init__(
        self, theme: Theme, library: Library, is_offline: Callable[[], bool], parent: QWidget | None = None
    ) -> None:
        """is_offline: asked before an address outside of the help is opened."""
        super().__init__(parent)
        self._library = library
        self._is_offline = is_offline
        # a test answers in the browser's place
        self.open_remote: Callable[[QUrl], object] = QDesktopServices.openUrl
        self.setWindowTitle(self.tr("Help"))
        self.setModal(False)
        self.resize(_SIZE)
        self.browser = HelpBrowser(theme, library)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Contents"))
        self.list.setWordWrap(True)
        self.list.setProperty("places", True)
        self.search = QLineEdit(placeholderText=self.tr("Search the help…"), clearButtonEnabled=True)
        self.search.setAccessibleName(self.tr("Search the help"))
        self._note = text(role="caption")
        self.back = IconButton(theme, "arrow-left", self.tr("Back (Alt+Left)"))
        self.forward = IconButton(theme, "arrow-right", self.tr("Forward (Alt+Right)"))
        self.back.setAccessibleName(self.tr("Back"))
        self.forward.setAccessibleName(self.tr("Forward"))
        side = QWidget()
        fill(QVBoxLayout(side), self.search, (self.list, 1))
        right = QWidget()
        top = fill(QHBoxLayout(), self.back, self.forward, (self._note, 1), (None, 0), spacing=4)
        fill(QVBoxLayout(right), top, (self.browser, 1), spacing=4)
        parts = QSplitter()
        parts.addWidget(side)
        parts.addWidget(right)
        parts.setChildrenCollapsible(False)
        parts.setStretchFactor(1, 1)
        parts.setSizes([250, 690])
        fill(QVBoxLayout(self), parts, margins=12)
        self.back.clicked.connect(self.browser.backward)
        self.forward.clicked.connect(self.browser.forward)
        self.browser.backwardAvailable.connect(self.back.setEnabled)
        self.browser.forwardAvailable.connect(self.forward.setEnabled)
        self.browser.historyChanged.connect(self.on_page_shown)
        self.browser.remote_clicked.connect(self.on_remote)
        self.search.textChanged.connect(self.refresh)
        self.search.returnPressed.connect(self.on_search_entered)
        self.list.itemClicked.connect(self.on_picked)
        self.list.itemActivated.connect(self.on_picked)
        for keys, slot in (("Alt+Left", self.browser.backward), ("Alt+Right", self.browser.forward)):
            self.addAction(make_action(self, keys, slot, keys))
        self.addAction(
            make_action(self, self.tr("Search the help"), self.on_search_wanted, QKeySequence.StandardKey.Find)
        )
        self.back.setEnabled(False)
        self.forward.setEnabled(False)
        self.refresh()

    def go(self, place: str) -> None:
        """Show the help, at the address `place`, and bring it to the front."""
        self.show()
        self.browser.go(place or address(FIRST))
        self.activateWindow()
        self.browser.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """List the pages, or the places that have the words that are searched for."""
        words = self.search.text().strip()
        self.list.clear()
        if words:
            hits = self._library.search(words)
            for hit in hits:
                self._add(f"{hit.title}\n{hit.snippet}", address(hit.page, hit.anchor))
            if not hits:
                self._add(self.tr("No page has these words."), "")
        else:
            for page, title in contents():
                self._add(title, address(page))
        self.list.setAccessibleName(self.tr("Places found") if words else self.tr("Contents"))
        self._mark()

    def on_search_wanted(self) -> None:
        """Give the keyboard to the search field and select what stands there."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def on_search_entered(self) -> None:
        """Show the first place that was found."""
        if (first := self.list.item(0)) is not None:
            self.list.setCurrentItem(first)
            self.on_picked(first)

    def on_picked(self, item: QListWidgetItem) -> None:
        """Show the place of the entry that was picked."""
        if place := item.data(_ADDRESS):
            self.browser.go(str(place))

    def on_page_shown(self) -> None:
        """Mark the page in the list of contents, and forget the last note."""
        self._note.setText("")
        self._mark()

    def on_remote(self, url: QUrl) -> None:
        """Open a web address in the browser of the system, since its link was clicked; not in offline mode, which is said."""
        if url.scheme() not in ("http", "https"):
            self._say(self.tr("This page is not part of the help."))
        elif self._is_offline():
            self._say(self.tr("Not opened, as the program works offline: {}").format(url.toString()))
        else:
            self.open_remote(url)

    def _say(self, words: str) -> None:
        self._note.setText(words)

    def _add(self, words: str, place: str) -> None:
        item = QListWidgetItem(words)
        item.setData(Qt.ItemDataRole.ToolTipRole, plain(words))
        item.setData(_ADDRESS, place)
        self.list.addItem(item)

    def _mark(self) -> None:
        """In the contents the page that is shown is the chosen one."""
        if self.search.text().strip():
            return
        shown = address(self.browser.page())
        for row in range(self.list.count()):
            if self.list.item(row).data(_ADDRESS) == shown:
                self.list.setCurrentRow(row)
