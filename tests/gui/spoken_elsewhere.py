"""Languages that nobody speaks: longer words, and words that are read from the right; and what of a window is cut in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QTabBar,
    QToolButton,
    QWidget,
)

from capt_gui.translate import install, remove
from capt_gui.widgets.elided_label import ElidedLabel

_ACCENTS = str.maketrans("aceilnorsuyzACEILNORSUYZ", "áćéíłńóŕśúýźÁĆÉÍŁŃÓŔŚÚÝŹ")
_HEBREW = str.maketrans("abcdefghijklmnopqrstuvwxyz", "אבגדהוזחטיכלמנסעפצקרשתאבגד")
# what a translator leaves alone: places for values, tags, keyboard letters, entities
_KEPT = re.compile(r"(\{[^}]*\}|<[^>]*>|&\w?|%\d)")


class Invented(dict[str, str]):
    """A catalogue that has every text, in a language made up by a function."""

    def __init__(self, say: Callable[[str], str]) -> None:
        super().__init__()
        self._say = say

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Return the text in the language of this catalogue."""
        del default
        return self._say(key) if re.search(r"[A-Za-z]{2}", key) else None


def longer(text: str) -> str:
    """Return the text with accents and 30 % longer, in brackets: what is cut lacks the last one."""
    end = "…" if text.endswith("…") else ""
    words = _between(text.removesuffix("…"), lambda part: part.translate(_ACCENTS))
    more = "~" * max(1, round(0.3 * len(re.sub(_KEPT, "", text))) - 2)
    spaced = " ".join(more[start : start + 8] for start in range(0, len(more), 8))
    return f"[{words} {spaced}]{end}" if len(more) > 3 else f"[{words}{more}]{end}"


def hebrew(text: str) -> str:
    """Return the text in letters that are read from the right."""
    return _between(text, lambda part: part.lower().translate(_HEBREW))


def _between(text: str, say: Callable[[str], str]) -> str:
    return "".join(part if _KEPT.fullmatch(part) else say(part) for part in _KEPT.split(text))


@contextmanager
def spoken_in(app: QApplication, say: Callable[[str], str]) -> Iterator[None]:
    """Let the window speak the language of `say`."""
    catalogue = install(app, Invented(say))
    try:
        yield
    finally:
        remove(app, catalogue)


def cut(window: QWidget) -> list[str]:
    """Return what of the visible parts of `window` is cut without an ellipsis and a tooltip that says all."""
    return [
        f"{type(part).__name__} in {type(part.parentWidget()).__name__}: {told}"
        for part in window.findChildren(QWidget)
        if part.isVisibleTo(window) and part.width() > 0 and (told := _cut(part))
    ]


def _cut(part: QWidget) -> str:
    if isinstance(part, QLabel) and not isinstance(part, ElidedLabel) and part.text():
        return _cut_label(part)
    if isinstance(part, QScrollArea) and part.horizontalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAlwaysOff:
        content = part.widget()
        over = content.width() - part.viewport().width() if content is not None else 0
        return f"{over} pixels of its content" if over > 1 else ""
    if isinstance(part, QTabBar):
        return _cut_tabs(part)
    if isinstance(part, QHeaderView) and part.orientation() is Qt.Orientation.Horizontal:
        return _cut_header(part)
    is_button = isinstance(part, QPushButton | QCheckBox | QRadioButton | QToolButton)
    if is_button and isinstance(part, QAbstractButton) and part.text() and part.sizeHint().width() > part.width() + 1:
        # a tool button cuts its words with an ellipsis by itself
        is_told = isinstance(part, QToolButton) and part.text() in part.toolTip()
        return "" if is_told else part.text()
    return ""


def _cut_label(label: QLabel) -> str:
    room = label.contentsRect().adjusted(label.margin(), label.margin(), -label.margin(), -label.margin())
    metrics = label.fontMetrics()
    if label.wordWrap():
        needed = metrics.boundingRect(0, 0, room.width(), 10_000, Qt.TextFlag.TextWordWrap, label.text())
        # a word that is wider than the label is cut too
        is_cut = needed.height() > room.height() + 3 or needed.width() > room.width() + 3
    else:
        is_cut = max(map(metrics.horizontalAdvance, label.text().splitlines())) > room.width() + 2
    return label.text() if is_cut else ""


def _cut_tabs(bar: QTabBar) -> str:
    cut = [
        bar.tabText(number)
        for number in range(bar.count())
        if bar.tabRect(number).width() + 1 < bar.tabSizeHint(number).width()
        and not bar.tabToolTip(number)
        and not bar.usesScrollButtons()
    ]
    return ", ".join(cut)


def _cut_header(header: QHeaderView) -> str:
    model, cut = header.model(), []
    for number in range(header.count()):
        words = str(model.headerData(number, Qt.Orientation.Horizontal) or "")
        help_words = str(model.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole) or "")
        is_narrow = header.sectionSize(number) + 1 < header.sectionSizeHint(number)
        if not header.isSectionHidden(number) and is_narrow and not help_words:
            cut.append(words)
    return ", ".join(cut)
