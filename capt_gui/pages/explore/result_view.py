"""The centre: one picture before and after, the verdicts of one set of prompts or of two, and the outcome in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from capt_engine.formatting import NO_BREAK, budget
from capt_engine.records import PERTURBED, AnalyzeRequest, AnalyzeResult, PictureRow, PictureSet, ReplayRequest
from capt_gui.pages.explore.charts import Charts
from capt_gui.pages.explore.margin_card import MarginCard
from capt_gui.pages.explore.replay_card import ReplayCard
from capt_gui.pages.explore.saliency_link import SaliencyLink
from capt_gui.pages.explore.unlike_training_box import UnlikeTrainingBox
from capt_gui.panels.chart_saving import ChartSaving
from capt_gui.translate import spoken
from capt_gui.view_models import formatting
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.explore import comparison
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.navigation import MODELS
from capt_gui.view_models.truth import known
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.image_triptych import ImageTriptych
from capt_gui.widgets.image_window import WindowFiller
from capt_gui.widgets.kept_room import KeptRoom
from capt_gui.widgets.label_field import LabelField
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.side_verdicts import SideVerdicts

_SYMBOL, _BETWEEN = 48, 4
# widths of the middle from which its words take fewer lines
_MIDDLING, _WIDE = 560, 880


class ResultView(QWidget):
    """Shows one item of the gallery; `show_item(None)` shows that none is chosen."""

    def __init__(self, desk: Desk, triptych: ImageTriptych, charts: Charts, parent: QWidget | None = None) -> None:
        """triptych, charts: made before, for this view. It is empty until `lay_out`."""
        super().__init__(parent)
        self._desk = desk
        self.headline = text(role="title")
        self.headline.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.unlike_training = UnlikeTrainingBox(desk.theme, desk.engine)
        self.pair = SideVerdicts(desk.theme)
        self.pair.hide()
        self.details = text(role="muted")
        self.label = LabelField()
        self._label_title = text(self.tr("Right answer"), "caption", wrap=False)
        self.label.hide()
        self._label_title.hide()
        self.aim_line = text(role="muted")
        self.aim_line.hide()
        self.summary = text(role="strong")
        self.summary.setContentsMargins(2, 6, 0, 0)
        self.summary.hide()
        self.outdated_note = text(role="caption")
        # their room is kept, so that the pictures do not jump when an answer comes or a setting is changed
        for one in (self.outdated_note, self._label_title, self.label):
            _retain_room(one, retained=True)
        self.head = KeptRoom(self._head_room, self.headline, self.pair, self.details, self.aim_line, spacing=_BETWEEN)
        self.foot = KeptRoom(self._foot_room, self.summary)
        self.triptych = triptych
        self.filler = WindowFiller(self.triptych)
        self.saliency = SaliencyLink(self.triptych, desk.saliency)
        self.charts = charts
        self.margins, self.replay = MarginCard(desk), ReplayCard(desk)
        self.charts.add_tab(self.margins, self.tr("Margin"))
        self.charts.add_tab(self.replay, self.tr("Replay"))
        ChartSaving(desk, self.charts.bars, self.charts.bars.record)
        ChartSaving(desk, self.charts.consistency_card, self.charts.consistency.record)
        ChartSaving(desk, self.charts.shift, self.charts.shift.record, Qt.Corner.BottomRightCorner)
        ChartSaving(desk, self.margins.chart, self.margins.chart.record)
        ChartSaving(desk, self.replay.chart, self.replay.chart.record)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self._symbol = Symbol(desk.theme, _SYMBOL)
        self._symbol.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._symbol.hide()
        self._item: Item | None = None
        self._side = "a"
        self._shown: tuple[PictureRow | None, PictureRow | None, PictureSet | None] = (None, None, None)
        self.triptych.side_picked.connect(self.on_side_picked)
        self.triptych.window_asked.connect(self.filler.toggle)
        self.filler.filled.connect(self.triptych.set_filling)
        self.unlike_training.model_picked.connect(self.on_model_picked)
        self.label.typed.connect(self.on_label_typed)
        self.label.refused.connect(self.on_label_refused)
        self.unlike_training.models_clicked.connect(self.on_models_clicked)

    def lay_out(self) -> None:
        """Put the parts into their places, once the view itself is in its own."""
        line = fill(QHBoxLayout(), (self.outdated_note, 1), self._label_title, self.label, spacing=10)
        above = (self.unlike_training, self.head, line)
        parts = (*above, (self.splitter, 1), (self._symbol, 1), self.foot)
        fill(QVBoxLayout(self), *parts, spacing=4, margins=(8, 12, 8, 12))
        self.splitter.addWidget(self.filler)
        self.splitter.addWidget(self.charts)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 1)
        # Not before: a part that is shown while it has no place yet is a window of its own for a moment, and takes the focus.
        self.replay.stepped.connect(self.refresh)
        self._desk.margins.changed.connect(self.refresh)
        self._desk.analysis.running_changed.connect(self._desk.margins.set_busy)
        self._desk.margins.set_busy(self._desk.analysis.is_running)

    def show_item(self, item: Item | None) -> None:
        """Show verdict, pictures and charts of `item`, a picture of the gallery, as far as they are known; None: none is chosen."""
        self._item = item
        norm = self._desk.choices.attack.norm
        self._desk.margins.show(item, norm.high_eps if norm is not None else 1.0)
        self.margins.show_item(item)
        self.refresh()

    def refresh(self) -> None:
        """Show the present item anew: more is known of it, or another step of its attack is looked at.

        Where only the budget was changed since, the answer at the nearest budget that is known stands for it.
        """
        item = self._item
        row = item.row if item is not None and item.failure is None else None
        other = item.other if item is not None and row is not None else None
        pictures = self._desk.gallery.pictures(item.path, self._side) if item is not None and row is not None else None
        near = self._near(item)
        if near:
            row, other = near[0], near[1] if len(near) == 2 else None
            pictures = self._desk.margins.pictures(near, self._side)
        drawn = bool(near) or (item is not None and self._desk.gallery.is_drawn(item.path))
        run = self._run_of(item, row)
        self._show_text(item, row, other, drawn)
        self._show_symbol(item)
        self._show_side(row, other)
        self.saliency.show(item, other if self._side == "b" and other is not None else row, run, self._side, pictures)
        self.replay.show_request(self._replay_of(row, run))
        if self.replay.is_shown and self._desk.replay.pictures is not None and self._desk.replay.step is not None:
            pictures = self._desk.replay.pictures
            name = self._desk.replay.step.name
            self.triptych.titles[2].set_text(self.tr("Adversarial, {}").format(name), name)
        shown, self._shown = self._shown, (row, other, pictures)
        if pictures is not shown[2] or row != shown[0]:
            self.triptych.set_whole(row is not None and row.threat.perturb != PERTURBED[0])
            self.triptych.set_pictures(pictures, drawing=row is not None and not drawn)
            own = self._desk.gallery.pictures(item.path, self._side) if near and item is not None else None
            if pictures is not None and row is not None and row.attacked is None:
                self.triptych.set_seen(pictures.seen)
            elif pictures is None and own is not None:
                self.triptych.set_seen(own.seen)
        if row is None:
            is_waiting = item is not None and item.failure is None
            self.triptych.set_waiting(self._desk.gallery.thumbnail(item.path) if item and is_waiting else None)
            self.charts.expect(two=self._desk.model.sides.b is not None)
        if (row, other) != shown[:2]:
            names = self._names(row, other) if row is not None and other is not None else ("", "")
            self.charts.show_row(row, self._desk.engine.catalogue.metrics, other, names)

    def show_summary(self, result: AnalyzeResult | None) -> None:
        """Show in a sentence how variants A and B (a model with its prompts) did in the run with `result`.

        How many pictures the model cannot know is said there too. Hide it for None, and where there is neither to say.
        """
        summary = comparison.totals(result) if result is not None else ""
        self.summary.setText(summary)
        self.summary.setVisible(bool(summary))

    def on_side_picked(self, side: str) -> None:
        """Show the pictures of the attack on the prompts of variant `side`, "a" or "b"."""
        self._side = side
        self.show_item(self._item)

    def on_label_typed(self, label: str) -> None:
        """Take `label` as the right answer to the picture that is shown, "" for not known."""
        if self._item is not None:
            self._desk.changes.set_label([self._item.path], label)

    def on_label_refused(self, sentence: str) -> None:
        """Say in `sentence` that what was typed as the right answer cannot be it."""
        self.outdated_note.setText(sentence)
        self.outdated_note.show()

    def on_model_picked(self, model: str) -> None:
        """Ask the model with the id `model` about every picture of the gallery, in the place of the one that cannot know them."""
        self._desk.model.set_model(model)
        self._desk.analysis.run_all()

    def on_models_clicked(self) -> None:
        """Go to the page where models are downloaded."""
        self._desk.navigation.go(MODELS)

    def adversarial(self) -> tuple[PictureSet | None, str]:
        """Return the set of pictures that is shown, None when there is none, and a file name for the adversarial one.

        The name is "" when no picture of the gallery is chosen.
        """
        if self._item is None:
            return None, ""
        aimed = f"-{self._side}" if self._item.other is not None and self._has_two_attacks() else ""
        name = f"{PurePath(self._item.path).stem}-adversarial{aimed}.png"
        return self._desk.gallery.pictures(self._item.path, self._side), name

    def _near(self, item: Item | None) -> tuple[PictureRow, ...]:
        """The rows at the known budget nearest to the one that is chosen, where only that was changed since the analysis."""
        if item is None or item.request is None or item.row is None or item.pending or item.failure is not None:
            return ()
        eps = self._desk.choices.attack.eps
        threat = replace(item.request.options.threat, eps=eps)
        moved = replace(item.request, options=replace(item.request.options, threat=threat))
        if eps == item.row.threat.eps or not self._desk.choices.made_with(moved):
            return ()
        return self._desk.margins.nearest(eps)

    def _run_of(self, item: Item | None, row: PictureRow | None) -> AnalyzeRequest | None:
        """The analysis of the picture, at the budget that is shown; None where it was not attacked."""
        if item is None or item.request is None or row is None or row.attacked is None:
            return None
        options = item.request.options
        threat = replace(options.threat, eps=row.threat.eps)
        return replace(item.request, paths=(item.path,), options=replace(options, threat=threat))

    def _replay_of(self, row: PictureRow | None, run: AnalyzeRequest | None) -> ReplayRequest | None:
        """The attack that could be replayed: one that follows gradients."""
        if run is None or row is None or row.attack is None:
            return None
        known = {info.name: info.knowledge for info in self._desk.model.attacks}
        side = self._side if self._has_two_attacks() else "a"
        return ReplayRequest(run, side) if known.get(row.attack.name) == "gradients" else None

    def _has_two_attacks(self) -> bool:
        return self._item is not None and self._item.request is not None and self._item.request.options.aim == "each"

    def _show_side(self, row: PictureRow | None, other: PictureRow | None) -> None:
        """Say above the picture at whom its attack was aimed, and offer the other one where there is one."""
        if row is None or other is None or row.attacked is None or self._item is None or self._item.request is None:
            self.triptych.set_side("")
        elif self._has_two_attacks():
            self.triptych.set_side(self._side, both=True)
        else:
            self.triptych.set_side(self._item.request.options.aim)

    def _names(self, row: PictureRow, other: PictureRow) -> tuple[str, str]:
        label = self._desk.model.sides.label
        return label(row.prompt_id), label(other.prompt_id)

    def _show_symbol(self, item: Item | None) -> None:
        """The result of the selected picture; where there is none yet or it cannot be used, a symbol stands instead."""
        refused = item is not None and item.failure is not None
        empty = item is None and self._desk.gallery.rowCount() == 0
        if refused or empty:
            self._symbol.set_icon(*(("state-failed", "warning") if refused else ("pictures", "text_muted")))
        self._symbol.setVisible(refused or empty)
        self.splitter.setVisible(not refused and not empty)

    def _show_text(self, item: Item | None, row: PictureRow | None, other: PictureRow | None, drawn: bool) -> None:
        headline, details = self._headline_and_details(item, row)
        truth = item.label if item is not None else ""
        if row is not None:
            self.label.set_label(row.classes, known(row, truth))
        for one in (self._label_title, self.label):
            one.setVisible(row is not None and row.out_of_distribution is not True)
        self.pair.setVisible(other is not None)
        aim = ""
        if row is not None and other is not None:
            a, b = (comparison.verdict(one, truth) for one in (row, other))
            self.pair.set_texts(a, b, comparison.headline(row, other, truth))
            headline, details = "", comparison.details(row, other, self._answerer(row), self._attack_label(row))
            aim = comparison.contest(row, other, self._desk.model.sides.label)
        is_unknown = row is not None and row.out_of_distribution is True
        if row is not None and is_unknown:
            answer = formatting.headline(row, truth) if other is None else comparison.headline(row, other, truth)
            self.unlike_training.show_row(row, answer)
            self.pair.hide()
            # the pictures need the room
            headline = details = aim = ""
        self.unlike_training.setVisible(is_unknown)
        for one in (self.outdated_note, self._label_title, self.label):
            _retain_room(one, retained=not is_unknown)
        self.head.setVisible(not is_unknown)
        self.head.refresh()
        old = row is not None and item is not None and item.request is not None
        stale = old and not self._desk.choices.made_with(item.request)  # type: ignore[union-attr, arg-type]
        remarks = [
            self._remark(item, row) if stale else "",
            "" if row is None or drawn else self.tr("Drawing the pictures again…"),
            formatting.unsure(row) if row is not None and not is_unknown else "",
        ]
        for label, line in (
            (self.headline, headline.replace(" = ", f"{NO_BREAK}={NO_BREAK}")),
            (self.details, details),
            (self.aim_line, aim),
            (self.outdated_note, " ".join(part for part in remarks if part)),
        ):
            label.setText(line)
            label.setVisible(bool(line))

    def _head_room(self, width: int) -> int:
        """The height of the usual words above the pictures: verdict, settings, and of a comparison how it was made."""
        two = self._desk.model.sides.b is not None
        few = 1 if width >= _MIDDLING else 2
        lines = 1 if width >= _WIDE else few + 1
        verdict = self.pair.room(width) if two else _height(self.headline, few)
        room = verdict + _BETWEEN + _height(self.details, lines)
        return room + _BETWEEN + _height(self.aim_line, few) if two else room

    def _foot_room(self, width: int) -> int:
        return 6 + _height(self.summary, 1 if width >= _WIDE else 2 if width >= _MIDDLING else 3)

    def _remark(self, item: Item | None, row: PictureRow | None) -> str:
        """Say that the settings have changed since, and what stands for them."""
        if row is not None and self._near(item):
            shown = budget(row.threat.eps, row.threat.norm)
            return self.tr("Shown at ε = {}, the nearest budget that is known; run again for the chosen one.").format(
                shown
            )
        return self.tr("Made with other settings; run again to bring it up to date.")

    def _answerer(self, row: PictureRow) -> str:
        """The model of the row, and the class names that it chose among."""
        return self._desk.model.asked(row.model_id, row.classes)

    def _attack_label(self, row: PictureRow) -> str:
        return self._desk.model.attack_label(row.attack.name) if row.attack is not None else ""

    def _headline_and_details(self, item: Item | None, row: PictureRow | None) -> tuple[str, str]:
        if item is None and self._desk.gallery.rowCount() == 0:
            return self.tr("Looking for pictures…"), self._desk.engine.waiting_text
        if item is None:
            return self.tr("Choose a picture on the left"), self.tr("Its verdicts appear here.")
        if item.failure is not None:
            return spoken(item.failure.message), spoken(item.failure.hint)
        if row is not None:
            return formatting.headline(row, item.label), " · ".join(
                part
                for part in (
                    formatting.settings_line(row, self._answerer(row), self._attack_label(row)),
                    formatting.survival(row),
                )
                if part
            )
        if item.pending == "running":
            return self.tr("Looking for a change that fools the model…"), ""
        if item.pending or not item.seen:
            return self.tr("Waiting for its turn"), self._desk.engine.waiting_text
        return self.tr("Not analysed yet"), self.tr("Press Run to attack every picture of the gallery.")


def _height(label: QLabel, lines: int) -> int:
    """The height that so many lines of a label take, in pixels."""
    # a label is a little higher than its lines
    return 2 + lines * label.fontMetrics().lineSpacing()


def _retain_room(label: QWidget, *, retained: bool) -> None:
    policy = label.sizePolicy()
    policy.setRetainSizeWhenHidden(retained)
    label.setSizePolicy(policy)
