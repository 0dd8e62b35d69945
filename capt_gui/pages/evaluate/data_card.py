"""Which pictures are evaluated: where they are, which part of them, and how many at the most."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_engine.records import WordsChecked
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.view_models.evaluate.choices import EvaluateChoices
from capt_gui.view_models.evaluate.data import EvaluateData
from capt_gui.view_models.explore.class_check import WordCheck
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.knob_slider import KnobSlider
from capt_gui.widgets.labels import named, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picker import Picker
from capt_gui.widgets.unknown_words import UnknownWords


class DataCard(QWidget):
    """Card that shows which pictures are evaluated; emits `folder_clicked` when the user wants other ones."""

    folder_clicked = Signal()

    def __init__(
        self,
        theme: Theme,
        data: EvaluateData,
        choices: EvaluateChoices,
        words: WordCheck,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._data = data
        self._choices = choices
        self.title = ElidedLabel(text_role="strong")
        self.summary = text(role="caption")
        self.split = Picker(self.tr("Part of the data"))
        self._split_box = named(self.tr("Part"), self.split)
        self.among = Picker(self.tr("Answers among"))
        self._among_box = named(self.tr("Answers among"), self.among)
        # names of folders are not written over here, so the nearest words are only said
        self.words = UnknownWords(theme, can_replace=False)
        self._asked = self._question()
        self.limit = KnobSlider(theme, self.tr("Pictures"), self.tr("quick"), self.tr("exact"))
        self.limit.set_help(self.tr("At most so many, drawn evenly over the classes by the seed"))
        self.interval = text(role="caption")
        tip = self.tr("A folder of classes; a table or a split file is in the File menu, or can be dropped")
        self.other = TextButton(theme, "", "folder", tip=tip)
        head = fill(QHBoxLayout(), (text(self.tr("Data"), "heading"), 1), self.other)
        names = fill(QVBoxLayout(), self.title, self.summary, spacing=1)
        fill(QVBoxLayout(self), head, names, self._split_box, self._among_box, self.words, self.limit, self.interval)
        self.other.clicked.connect(self.folder_clicked)
        self.split.picked.connect(data.set_split)
        self.among.picked.connect(choices.set_class_list)
        self.limit.value_changed.connect(self.on_limit_changed)
        choices.changed.connect(self.on_changed)
        data.running_changed.connect(self.on_changed)
        words.checked.connect(self.on_words_checked)
        self.on_changed()

    def on_changed(self) -> None:
        """Show where the pictures come from, how many are usable, and the chosen part (such as test) and largest number of them."""
        data, there = self._data, self._data.result is not None
        self.title.set_text(data.title if data.place else self.tr("No pictures yet"))
        set_tooltip(self.title, data.place)
        self.summary.setText(self._summary())
        label = self.tr("Other pictures…") if there else self.tr("Choose a folder…")
        self.other.setText(label)
        self.other.setAccessibleName(label.rstrip("…"))
        splits = data.splits
        self._split_box.setVisible(len(splits) > 1)
        self.split.set_entries(
            [(self.tr("{}: {:,} pictures").format(name, count), name, "") for name, count in splits], data.split
        )
        lists = self._choices.model.class_lists
        entries = [(f"{one.label} ({len(one.classes):,})", one.id, self._wider(one.summary)) for one in lists]
        own = (
            self.tr("The classes of the data ({:,})").format(len(data.names)),
            "",
            self.tr("As they are named there."),
        )
        self.among.set_entries([own, *entries], self._choices.class_list)
        self._among_box.setVisible(there and bool(lists))
        stops = self._choices.limits()
        self.limit.setVisible(there and data.pictures_in_split > 0 and len(stops) > 1)
        self.limit.set_stops(stops)
        self.limit.set_value(self._choices.limit)
        if self._question() != self._asked:
            self.words.set_words(())
        self.interval.setText(self._choices.interval_text())
        self.interval.setVisible(bool(self.interval.text()))

    def on_words_checked(self, answer: WordsChecked) -> None:
        """Show the words of classes and template that the model was never trained on, as `answer` says, until others are asked about."""
        self._asked = self._question()
        self.words.set_words(answer.unknown)

    def on_limit_changed(self, limit: object) -> None:
        """Take `limit`, a stop of the slider, as the largest number of pictures to evaluate, 0 for all; ignore anything but an int."""
        if isinstance(limit, int):
            self._choices.set_limit(limit)

    def _question(self) -> tuple[str, tuple[str, ...], str]:
        return self._choices.model.settings.model, self._choices.classes, self._choices.template

    def _summary(self) -> str:
        data = self._data
        if data.is_running:
            return self.tr("The pictures are being looked through…")
        if data.result is None:
            return self.tr("Class folders, a CSV with path,label, or a split file.")
        n, classes = data.pictures_in_split, len(data.names)
        parts = [
            self.tr("1 class") if classes == 1 else self.tr("{:,} classes").format(classes),
            self.tr("1 usable picture") if n == 1 else self.tr("{:,} usable pictures").format(n),
        ]
        return " · ".join(parts)

    def _wider(self, summary: str) -> str:
        return self.tr("{} Every class of the data must be in it.").format(summary)
