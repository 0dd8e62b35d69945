"""The pages on top of each other; each is made when it is first shown or asked for, so that a window opens with one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from capt_gui.panels.page import Page

# room for any of the pages, so that a small window does not grow when one of them is made
_LEAST = QSize(800, 384)


class PageStack(QStackedWidget):
    """Holds the pages by their keys. made(key): the page of this key was made a moment ago, and is not in front yet."""

    made = Signal(str)

    def __init__(self, makers: Mapping[str, Callable[[], Page]], parent: QWidget | None = None) -> None:
        """makers: what makes the page of each key, in the order of the navigation."""
        super().__init__(parent)
        self._makers = dict(makers)
        self._pages: dict[str, Page] = {}
        # of pages that are not made yet: what they are to show when they are
        self._views: dict[str, dict[str, Any]] = {}
        self._front = ""
        self._is_prepared = False
        self.setMinimumSize(_LEAST)

    @property
    def front(self) -> str:
        """Return the key of the page in front, "" before one was shown."""
        return self._front

    @property
    def built(self) -> tuple[Page, ...]:
        """Return the pages that are made already."""
        return tuple(self._pages.values())

    def page(self, key: str) -> Page:
        """Return the page of this key, made now if it was not; raise KeyError for another key."""
        if key not in self._pages:
            page = self._makers[key]()
            self._pages[key] = page
            self.addWidget(page)
            self.made.emit(key)
            if self._is_prepared:
                _finish(page.preparations())
            if (view := self._views.pop(key, None)) is not None:
                page.show_view(view)
        return self._pages[key]

    def all(self) -> dict[str, Page]:
        """Return all pages by their keys, in the order of the navigation; those that were not made are made now."""
        return {key: self.page(key) for key in self._makers}

    def show_page(self, key: str) -> None:
        """Bring the page of this key to the front; raise KeyError for another key."""
        self.setCurrentWidget(self.page(key))
        self._front = key

    def preparations(self) -> Iterator[None]:
        """Let every page make what is slow to make, in pieces: those that are made now, and the others when they are."""
        self._is_prepared = True
        for page in self.built:
            yield from page.preparations()

    def views(self) -> dict[str, dict[str, Any]]:
        """Return what each page shows, as a session keeps it; pages with nothing to say are left out."""
        views = {key: page.view() for key, page in self._pages.items()} | self._views
        return {key: views[key] for key in self._makers if views.get(key)}

    def show_views(self, views: Mapping[str, dict[str, Any]]) -> None:
        """Let each page show what `views` has for it, at once or as soon as it is made; unknown keys are left alone."""
        for key, view in views.items():
            if key in self._pages:
                self._pages[key].show_view(view)
            elif key in self._makers:
                self._views[key] = dict(view)


def _finish(steps: Iterator[None]) -> None:
    for _ in steps:
        pass
