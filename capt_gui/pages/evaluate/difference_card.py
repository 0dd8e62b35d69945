"""The difference of A and B: how many pictures only one of them gets wrong, and these pictures."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout

from capt_gui.pages.evaluate.heat_cards import TakenFor
from capt_gui.pages.evaluate.result_cards import ResultCard
from capt_gui.theme import Theme
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.labels import text


class DifferenceCard(ResultCard):
    """Card with a button for each count of pictures that only A or only B gets wrong, clean and under attack.

    `explore_clicked(paths)`: these are to be looked at one by one.
    """

    explore_clicked = Signal(list)

    def __init__(self, theme: Theme, thumbnails: ThumbnailLoader) -> None:
        super().__init__()
        self._run: EvaluateRun | None = None
        self._names = (self.tr("Clean"), self.tr("Under attack"))
        self._states = [text(name, "muted", wrap=False) for name in self._names]
        self.buttons = [[TextButton(theme, "", "", look="link") for _ in "ab"] for _ in self._states]
        self.pictures = TakenFor(theme, thumbnails)
        grid = QGridLayout()
        grid.setSpacing(8)
        grid.setColumnStretch(3, 1)
        for row, (state, pair) in enumerate(zip(self._states, self.buttons, strict=True)):
            grid.addWidget(state, row, 0)
            for place, button in enumerate(pair):
                grid.addWidget(button, row, 1 + place, Qt.AlignmentFlag.AlignLeft)
                button.clicked.connect(lambda _=False, row=row, place=place: self.on_clicked(row, place))
        self.lay_out(self.tr("Where A and B differ"), grid, self.pictures)
        self.pictures.explore_clicked.connect(self.explore_clicked)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show the counts of `run`, clean and under attack; return False where it has no B, or nothing was counted."""
        self._run = run
        self.pictures.show_pictures("", ())
        if len(run.sides) < 2 or not run.tally.n:
            return False
        for row, pair in enumerate(self.buttons):
            shown = not row or (run.has_attack and all(run.tally.held(side)[1] for side in run.sides))
            self._states[row].setVisible(shown)
            for place, button in enumerate(pair):
                n = len(self._paths(row, place))
                words = self.tr("only B fails: {:,}") if place else self.tr("B repairs A: {:,}")
                button.setText(words.format(n))
                button.setAccessibleName(f"{self._names[row]}, {button.text()}")
                button.setVisible(shown)
                button.setEnabled(n > 0)
        return True

    def on_clicked(self, row: int, place: int) -> None:
        """Show the pictures of a count; row: 0 clean, 1 under attack; place: 0 only A is wrong, 1 only B is wrong."""
        title = self.tr("only B is wrong") if place else self.tr("only A is wrong, B is right")
        state = self.tr("under attack") if row else self.tr("clean")
        self.pictures.show_pictures(f"{title}, {state}", self._paths(row, place))

    def _paths(self, row: int, place: int) -> tuple[str, ...]:
        if self._run is None:
            return ()
        a, b = self._run.sides[:2]
        return self._run.tally.only_wrong(b if place else a, a if place else b, attacked=bool(row))
