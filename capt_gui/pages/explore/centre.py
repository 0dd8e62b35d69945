"""The middle of Explore: the welcome before the first picture, and the result of the chosen one, made when there is one to show."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from capt_gui.pages.explore.welcome import Welcome
from capt_gui.panels.help.guided_tour import STOP
from capt_gui.panels.help.window_tour import PICTURES, TRIPTYCH, VERDICT
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.scrolled import LeastHeight

if TYPE_CHECKING:
    from capt_gui.pages.explore.result_view import ResultView

WIDTH, LEAST_RESULT = 414, 470
"""The least width of the middle, and the least height of the pictures with their charts, in pixels."""
_ROWS = [400, 270]


class Centre(QStackedWidget):
    """Shows the welcome or the result. made: the result was made a moment ago, and shows nothing yet.

    The result is a third of all that a window holds, and a window that opens shows none of it.
    """

    made = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._result: ResultView | None = None
        self._steps = self._made_in_steps()
        self.welcome = Welcome(desk.theme, desk.engine, desk.model)
        self.welcome.drop_zone.setProperty(STOP, PICTURES)
        self.addWidget(self.welcome)
        # the same before and after the result is made
        self.setMinimumWidth(WIDTH)

    @property
    def has_result(self) -> bool:
        """Return True once the result is made."""
        return self._result is not None

    @property
    def result(self) -> ResultView:
        """Return the view of the result, made now if it was not."""
        return self._result if self._result is not None else self.make_result()

    def make_result(self) -> ResultView:
        """Make the view of the result, or what is left of it, and return it."""
        for _ in self._steps:
            pass
        if self._result is None:
            raise RuntimeError("The view of the result is asked for while it is made.")
        return self._result

    def preparations(self) -> Iterator[None]:
        """Make the view of the result in pieces, one each time the next is asked for; a piece takes some 30 ms."""
        yield from self._steps

    def _made_in_steps(self) -> Iterator[None]:
        from capt_gui.pages.explore.charts import Charts
        from capt_gui.pages.explore.result_view import ResultView
        from capt_gui.widgets.image_triptych import ImageTriptych

        desk = self._desk
        yield
        triptych = ImageTriptych(desk.theme)
        yield
        charts = Charts(desk.theme)
        yield
        result = ResultView(desk, triptych, charts)
        result.splitter.setMinimumHeight(LEAST_RESULT)
        yield
        # in a low window the middle scrolls, rather than leave the pictures no room
        area = LeastHeight(result)
        area.setMinimumWidth(WIDTH)
        self.addWidget(area)
        # Each time a widget is moved, Qt works out the style of all within it, so that the parts come into what is in its place.
        result.lay_out()
        # Tab comes to the result where it stands, and not behind all that was there before it
        order = [*_in_order(self.welcome)[-1:], *_in_order(area)]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)
        rows = desk.settings.rows
        result.splitter.setSizes(rows if len(rows) == 2 else _ROWS)
        for widget, stop in ((result.pair, VERDICT), (result.headline, VERDICT), (result.triptych, TRIPTYCH)):
            widget.setProperty(STOP, stop)
        desk.analysis.finished.connect(result.show_summary)
        self._result = result
        self.made.emit()

    def show_result(self, *, shown: bool) -> None:
        """Bring the result to the front, or the welcome if it is not `shown`."""
        if shown and not self.has_result:
            self.make_result()
        self.setCurrentIndex(int(shown))


def _in_order(widget: QWidget) -> list[QWidget]:
    """The parts of a widget that Tab comes to, in order."""
    found: list[QWidget] = []
    one: QWidget | None = widget.nextInFocusChain()
    while one is not None and widget.isAncestorOf(one):
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.append(one)
        one = one.nextInFocusChain()
    return found
