"""A page of the help: Markdown as Qt reads it, in the theme's colours; nothing is ever fetched."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import (
    QFontDatabase,
    QImage,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextLength,
    QTextTable,
)
from PySide6.QtWidgets import QTextBrowser, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.help.library import Library, anchor_of

_MARGIN, _BAR = 20, 24
_LINE_PERCENT = 128
# pictures of both looks, which Qt's Markdown does not know; the one that is shown follows the theme
_PICTURE = re.compile(r"<picture>.*?(<img[^>]*>)\s*</picture>", re.DOTALL)
_ATTRIBUTE = re.compile(r'(src|alt)="([^"]*)"')
_DRESSED = 1
_UNKNOWN = QTextDocument.ResourceType.UnknownResource


class HelpBrowser(QTextBrowser):
    """Shows pages by addresses such as "help:/guide/first-look.md#the-toy-world", with a way back.

    remote_clicked(url): a link that leads out of the help was clicked; nothing is opened here.
    """

    remote_clicked = Signal(QUrl)

    def __init__(self, theme: Theme, library: Library, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._library = library
        self.setOpenLinks(False)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.setAccessibleName(self.tr("Page of the help"))
        self.document().setDocumentMargin(_MARGIN)
        self.anchorClicked.connect(self.on_link)
        theme.changed.connect(self.refresh)

    def go(self, address: str) -> None:
        """Show the place of this address."""
        self.setSource(QUrl(address))

    def page(self) -> str:
        """Return the file name of the page that is shown, "" before the first."""
        return self.source().path().lstrip("/")

    def on_link(self, url: QUrl) -> None:
        """Show the page that a link leads to; for one out of the help emit `remote_clicked`, or go on where it is unknown."""
        target = self.source().resolved(url)
        if target.scheme() == "help" and self._library.text(target.path().lstrip("/")):
            self.setSource(target)
        else:
            self.remote_clicked.emit(target)

    def refresh(self) -> None:
        """Draw the page again, as its text or the colours of the theme have changed, at the same place."""
        if not self.source().isEmpty():
            at = self.verticalScrollBar().value()
            self.reload()
            self._dress()
            self.verticalScrollBar().setValue(at)

    def doSetSource(self, name: QUrl | str, kind: QTextDocument.ResourceType = _UNKNOWN) -> None:
        """Show the page `name`; its headings, and the first cells of its tables, are places that links can lead to."""
        target = QUrl(name)
        super().doSetSource(target, kind)
        # the same page again is not always read again
        if self.document().firstBlock().userState() != _DRESSED:
            self._dress()
        if target.hasFragment():
            self.scrollToAnchor(target.fragment())

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Return a page or a picture of the help; None for everything else, whatever its address is."""
        url = self.source().resolved(QUrl(name))
        if url.scheme() != "help":
            return None
        place = url.path().lstrip("/")
        if kind == QTextDocument.ResourceType.ImageResource.value:
            return self._picture(place)
        missing = self.tr(
            "# There is no such page\n\nThe help holds no page of this name. The list beside it has all there are."
        )
        return _PICTURE.sub(_as_markdown, self._library.text(place)) or missing

    def _picture(self, place: str) -> QImage | None:
        dark = place.replace("-light.", "-dark.")
        path = self._library.path(dark if self._theme.is_dark else place) or self._library.path(place)
        if path is None:
            return None
        image = QImage(str(path))
        width = self.viewport().width() - 2 * _MARGIN - _BAR
        ratio = self.devicePixelRatioF()
        if not image.isNull() and image.width() > width * ratio:
            image = image.scaledToWidth(max(round(width * ratio), 64), Qt.TransformationMode.SmoothTransformation)
            image.setDevicePixelRatio(ratio)
        return image

    def _dress(self) -> None:
        """Give the page its distances and colours, and its headings names."""
        document = self.document()
        document.setDocumentMargin(_MARGIN)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
        taken: set[str] = set()
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        block = document.begin()
        while block.isValid():
            self._dress_block(block, taken, fixed)
            block = block.next()
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                self._dress_table(frame)
        cursor.endEditBlock()
        document.firstBlock().setUserState(_DRESSED)

    def _dress_block(self, block: QTextBlock, taken: set[str], fixed: str) -> None:
        form, level = QTextBlockFormat(block.blockFormat()), block.blockFormat().headingLevel()
        cursor = QTextCursor(block)
        # Qt answers None outside of a table, which its stub does not say
        table: QTextTable | None = cursor.currentTable()
        is_code = form.hasProperty(QTextFormat.Property.BlockCodeFence) or form.nonBreakableLines()
        if level:
            form.setTopMargin((0, 4, 18, 14, 10)[min(level, 4)])
            form.setBottomMargin(6)
        elif table is None:
            form.setBottomMargin(2 if is_code or block.textList() is not None else 9)
        if is_code:
            form.setBackground(self._theme.color("surface_raised"))
        else:
            form.setLineHeight(_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(form)
        if level or (table is not None and table.cellAt(cursor).column() == 0):
            name = anchor_of(block.text())
            if name and name not in taken and block.length() > 1:
                taken.add(name)
                place = QTextCharFormat()
                place.setAnchor(True)
                place.setAnchorNames([name])
                cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor)
                cursor.mergeCharFormat(place)
        for start, end in _code_in(block):
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            code = QTextCharFormat()
            code.setFontFamilies([fixed])
            code.setBackground(self._theme.color("surface_raised"))
            cursor.mergeCharFormat(code)

    def _dress_table(self, table: QTextTable) -> None:
        form = table.format()
        form.setBorder(1)
        form.setBorderCollapse(True)
        form.setBorderBrush(self._theme.mixed("control", 0.4))
        form.setCellPadding(6)
        form.setCellSpacing(0)
        form.setTopMargin(4)
        form.setBottomMargin(12)
        form.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        form.setColumnWidthConstraints(_widths(table))
        table.setFormat(form)


def _as_markdown(match: re.Match[str]) -> str:
    found = dict(_ATTRIBUTE.findall(match[1]))
    return f"![{found.get('alt', '')}]({found.get('src', '')})"


def _code_in(block: QTextBlock) -> list[tuple[int, int]]:
    """Return where in the document the letters of code in a block begin and end."""
    spans, step = [], block.begin()
    while not step.atEnd():
        piece = step.fragment()
        if piece.charFormat().fontFixedPitch():
            spans.append((piece.position(), piece.position() + piece.length()))
        step += 1
    return spans


def _widths(table: QTextTable) -> list[QTextLength]:
    """A share of the width for each column, larger where there is more to read."""
    needs = []
    for column in range(table.columns()):
        lengths = [len(" ".join(_words(table, row, column))) for row in range(table.rows())]
        words = max(len(word) for row in range(table.rows()) for word in _words(table, row, column))
        needs.append(min(max(sum(lengths) / len(lengths), max(lengths) / 3, 1.2 * words + 2), 60))
    return [QTextLength(QTextLength.Type.PercentageLength, 100 * need / sum(needs)) for need in needs]


def _words(table: QTextTable, row: int, column: int) -> list[str]:
    cell = table.cellAt(row, column)
    cursor = cell.firstCursorPosition()
    cursor.setPosition(cell.lastCursorPosition().position(), QTextCursor.MoveMode.KeepAnchor)
    return cursor.selectedText().split() or [""]
