"""The classes the model is asked about, and the sentence they stand in."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from capt_engine.records import UnknownWord
from capt_gui.plain_text import plain_label, set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.buttons import Symbol, TextButton
from capt_gui.widgets.class_list import classes_text, has_word, parse_classes, pasted_classes, with_word
from capt_gui.widgets.input import leave_undo
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.unknown_words import UnknownWords

_DEBOUNCE_MS = 300
_NAMED = 3


class _NamesEdit(QPlainTextEdit):
    """A list editor: what is pasted lands one name per line, and Tab moves on."""

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def sizeHint(self) -> QSize:
        return QSize(200, 168)

    def insertFromMimeData(self, source: QMimeData) -> None:
        names = pasted_classes(source.text())
        ends_open = not source.text().endswith("\n")
        self.insertPlainText(classes_text(names) + ("" if ends_open else "\n") if len(names) > 1 else source.text())


class ClassEditor(QWidget):
    """A template, a list of class names, and what is wrong with them in plain words."""

    changed = Signal()
    restore_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens_of: tuple[str, ...] | None = None
        # a list of 1,000 names is read once, not at each question
        self._parsed: tuple[str, ...] | None = None
        self._token_text = ""
        self._token_problems: list[str] = []
        self._template = QLineEdit()
        self._template.setPlaceholderText(self.tr("a photo of a {}."))
        set_tooltip(
            self._template,
            self.tr("The template of what the model reads for each class; {} stands for the class name."),
        )
        self._template.setAccessibleName(self.tr("Template"))
        self._template.setAccessibleDescription(self._template.toolTip())
        self._names = _NamesEdit()
        self._names.setPlaceholderText(self.tr("One class per line, or paste a list"))
        tip = self.tr(
            "One class per line, one with commas in double quotes. A list pasted on one line may be separated by commas."
        )
        set_tooltip(self._names, tip)
        self._names.setAccessibleName(self.tr("Classes"))
        self._names.setAccessibleDescription(self._names.toolTip())
        self._count = text(role="caption")
        self._unknown: tuple[UnknownWord, ...] = ()
        self.words = UnknownWords(theme)
        self.words.picked.connect(self.on_word_picked)
        self._symbol = Symbol(theme, 16, "warning", "warning")
        self._problems = text(role="problem")
        tip = self.tr("Go back to the classes and the template that the model suggests")
        self._restore = TextButton(theme, self.tr("Restore suggestion"), "restore", look="link", tip=tip)
        self._restore.setAccessibleName(self.tr("Restore the suggested classes"))
        self._restore.clicked.connect(self.restore_clicked)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DEBOUNCE_MS)
        self._timer.timeout.connect(self.changed)
        leave_undo(self._template, self._template.isUndoAvailable, self._template.isRedoAvailable)
        document = self._names.document()
        leave_undo(self._names, document.isUndoAvailable, document.isRedoAvailable)
        self._template.textChanged.connect(self._on_edited)
        self._names.textChanged.connect(self._on_names_edited)
        warned = fill(QHBoxLayout(), (self._symbol, 0, Qt.AlignmentFlag.AlignTop), (self._problems, 1))
        layout = fill(QVBoxLayout(self), spacing=6)
        for name, editor in ((self.tr("Template"), self._template), (self.tr("Classes"), self._names)):
            label = plain_label(name)
            label.setBuddy(editor)
            layout.addWidget(label)
            layout.addWidget(editor)
        layout.addWidget(self._count)
        layout.addLayout(warned)
        layout.addWidget(self.words)
        layout.addWidget(self._restore, 0, Qt.AlignmentFlag.AlignRight)
        self._refresh()

    def classes(self) -> tuple[str, ...]:
        """Return the class names typed into the list, in order, without empty lines."""
        if self._parsed is None:
            self._parsed = parse_classes(self._names.toPlainText())
        return self._parsed

    def template(self) -> str:
        """Return the template that was typed, as in "a photo of a {}.", where `{}` stands for the class name."""
        return self._template.text().strip()

    def set_classes(self, classes: tuple[str, ...], template: str) -> None:
        """Put these class names and this template into the editors without emitting `changed`.

        template: the sentence with `{}` where the class name goes.
        """
        with QSignalBlocker(self._template), QSignalBlocker(self._names):
            self._template.setText(template)
            if classes != self.classes():
                self._names.setPlainText(classes_text(classes))
                self._parsed = None
        self._timer.stop()
        self._refresh()

    def set_tokens(
        self,
        tokens: tuple[int, ...],
        limit: int,
        too_long: tuple[int, ...],
        repeated: tuple[int, ...],
        alike: tuple[int, ...] = (),
    ) -> None:
        """Show the token count of the longest class name, and warn of names that are a problem.

        tokens: the count of each class, of which the model reads `limit`. too_long, repeated: the indices into
        `classes()` of names that will be cut and of names that are listed twice. alike: those of names with the tokens
        of an earlier one.
        """
        names = self.classes()
        self._tokens_of = names
        self._token_text = self.tr("longest {} of {} tokens").format(max(tokens), limit) if tokens else ""
        self._token_problems = []
        if too_long:
            problem = self.tr("Too long for the model, the end will be cut: {}")
            self._token_problems.append(problem.format(self._listed(names, too_long)))
        if repeated:
            self._token_problems.append(self.tr("Listed twice: {}").format(self._listed(names, repeated)))
        if alike:
            problem = self.tr("The model reads the same as in another name, which always wins: {}")
            self._token_problems.append(problem.format(self._listed(names, alike)))
        self._refresh()

    def set_unknown_words(self, unknown: tuple[UnknownWord, ...]) -> None:
        """Show the words of classes and template that the model was never trained on, as long as they stand there."""
        self._unknown = unknown
        self._refresh()

    def on_word_picked(self, word: UnknownWord, known: str) -> None:
        """Write known words in place of one that the model was never trained on, wherever it stands, and emit `changed`."""
        if word.classes:
            names = self._names.textCursor()
            names.select(names.SelectionType.Document)
            names.insertText(with_word(self._names.toPlainText(), word.word, known))
        else:
            self._template.selectAll()
            self._template.insert(with_word(self.template(), word.word, known))
        self._timer.stop()
        self.changed.emit()

    def edit(self) -> None:
        """Put the cursor into the list of class names, so that the user can write there."""
        self._names.setFocus()

    def status(self) -> str:
        """Return the line below the list: the number of classes and, where known, the longest token count."""
        return self._count.text()

    def problems(self) -> str:
        """Return one sentence a line on what is wrong with the classes or the template, "" when all is well."""
        return self._problems.text()

    def _listed(self, names: tuple[str, ...], indices: tuple[int, ...]) -> str:
        shown = [names[index] for index in indices if index < len(names)]
        listed = ", ".join(f"“{name}”" for name in dict.fromkeys(shown[:_NAMED]))
        rest = len(shown) - _NAMED
        return listed + self.tr(" and {} more").format(rest) if rest > 0 else listed

    def _on_names_edited(self) -> None:
        self._parsed = None
        self._on_edited()

    def _on_edited(self) -> None:
        self._refresh()
        self._timer.start()

    def _refresh(self) -> None:
        names = self.classes()
        counts = [self.tr("1 class") if len(names) == 1 else self.tr("{} classes").format(len(names))]
        problems = []
        if len(names) < 2:
            problems.append(self.tr("The model needs at least two classes to choose from."))
        if self.template() and "{}" not in self.template():
            problems.append(self.tr("The template needs {} where the class name goes."))
        # Counts of another list would be wrong numbers; they come back with the next check.
        if names == self._tokens_of:
            counts.append(self._token_text)
            problems += self._token_problems
        # One that was written over is gone at once; the next check brings the others.
        spelled = ("\n".join(names), self.template())
        self.words.set_words(tuple(one for one in self._unknown if has_word(spelled[not one.classes], one.word)))
        self._count.setText(" · ".join(part for part in counts if part))
        self._problems.setText("\n".join(problems))
        self._problems.setVisible(bool(problems))
        self._symbol.setVisible(bool(problems))
