"""The class editor: lists from anywhere, one signal after a pause, and problems in plain words."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from capt_engine.records import UnknownWord
from capt_gui.theme import Theme
from capt_gui.widgets.class_editor import ClassEditor
from capt_gui.widgets.class_list import classes_text, parse_classes


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cat\ndog\n", ("cat", "dog")),
        ("cat, dog , bird", ("cat", "dog", "bird")),
        ("cat;dog\tbird", ("cat;dog", "bird")),
        ("cat; dog", ("cat", "dog")),
        ('"tench, Tinca tinca"\ngoldfish', ("tench, Tinca tinca", "goldfish")),
        ("0,cat\n1,dog\n2,bird", ("cat", "dog", "bird")),
        ("1\tcat\r\n2\tdog", ("cat", "dog")),
        ("0\n1\n2", ("0", "1", "2")),
        ("3,7\n4,8", ("3", "7", "4", "8")),
        ("\n  \n,,\n", ()),
        ("", ()),
    ],
)
def test_lists_from_anywhere_are_understood(text: str, names: tuple[str, ...]) -> None:
    """Lines, commas, tabs, quotes, and a column that only counts."""
    assert parse_classes(text) == names


@pytest.mark.parametrize("names", [("a", "b"), ("tench, Tinca", 'the "big" one'), ("semi;colon", "x"), ("0", "1")])
def test_a_list_written_out_reads_the_same(names: tuple[str, ...]) -> None:
    """Names with separators in them are quoted."""
    assert parse_classes(classes_text(names)) == names


@pytest.fixture
def editor(theme: Theme, qtbot: QtBot) -> ClassEditor:
    """An editor on the screen with three classes."""
    widget = ClassEditor(theme)
    qtbot.addWidget(widget)
    widget.set_classes(("cat", "dog", "bird"), "a photo of a {}.")
    widget.show()
    return widget


def test_filling_in_is_silent(editor: ClassEditor, qtbot: QtBot) -> None:
    """What the application puts in is not an edit."""
    with qtbot.assertNotEmitted(editor.changed, wait=400):
        editor.set_classes(("x", "y"), "{}")
    assert (editor.classes(), editor.template()) == (("x", "y"), "{}")


def test_typing_is_told_once_after_a_pause(editor: ClassEditor, qtbot: QtBot) -> None:
    """Many keys, one signal."""
    heard: list[tuple[str, ...]] = []
    editor.changed.connect(lambda: heard.append(editor.classes()))
    names = editor.findChild(QPlainTextEdit)
    assert names is not None
    names.selectAll()
    qtbot.keyClicks(names, "ox, cow")
    assert heard == []
    qtbot.waitUntil(lambda: bool(heard), timeout=2000)
    assert heard == [("ox", "cow")]


def test_a_pasted_row_lands_one_name_per_line(editor: ClassEditor) -> None:
    """A row of a spreadsheet becomes a list."""
    names = editor.findChild(QPlainTextEdit)
    assert names is not None
    mime = QMimeData()
    mime.setText("red, green, blue")
    names.selectAll()
    names.insertFromMimeData(mime)
    assert names.toPlainText() == "red\ngreen\nblue"


@pytest.mark.parametrize(
    ("pasted", "shown"),
    [
        ("mug, cup\ncube\nstar, five-pointed star\n", '"mug, cup"\ncube\n"star, five-pointed star"\n'),
        ("cat, dog,\nbird", "cat\ndog\nbird"),
        ("cat\tdog\nbird\tox", "cat\ndog\nbird\nox"),
    ],
)
def test_a_pasted_line_is_one_class(editor: ClassEditor, pasted: str, shown: str) -> None:
    """ImageNet's way of several words for a class stays one name, in quotes; a list that was wrapped, or a table, is taken apart."""
    names = editor.findChild(QPlainTextEdit)
    assert names is not None
    mime = QMimeData()
    mime.setText(pasted)
    names.selectAll()
    names.insertFromMimeData(mime)
    assert names.toPlainText() == shown
    assert classes_text(editor.classes()) == shown.strip()


def test_token_counts_are_told_compactly(editor: ClassEditor) -> None:
    """One line when all is well."""
    editor.set_tokens((4, 5, 4), 32, (), ())
    assert editor.status() == "3 classes · longest 5 of 32 tokens"
    assert editor.problems() == ""


def test_problems_are_told_in_plain_words(editor: ClassEditor) -> None:
    """Which names, and what is the matter with them."""
    editor.set_tokens((40, 5, 5), 32, (0,), (2,))
    assert "“cat”" in editor.problems().splitlines()[0]
    assert "Listed twice: “bird”" in editor.problems()
    editor.set_tokens((5, 5, 5), 32, (), (), (2,))
    assert editor.problems() == "The model reads the same as in another name, which always wins: “bird”"


def test_counts_of_another_list_are_not_shown(editor: ClassEditor) -> None:
    """Once edited, old counts would be wrong numbers."""
    editor.set_tokens((40, 5, 5), 32, (0,), ())
    editor.set_classes(("cat", "dog"), "a photo of a {}.")
    assert editor.status() == "2 classes"
    assert editor.problems() == ""


def test_a_list_of_one_and_a_template_without_a_place_are_told(editor: ClassEditor) -> None:
    """Both would make every answer meaningless."""
    editor.set_classes(("cat",), "a photo")
    assert editor.status() == "1 class"
    assert "at least two classes" in editor.problems()
    assert "needs {}" in editor.problems()


CAPYBARA = UnknownWord("capybara", 4159, ("Capybara", "red capybara"), ("capra", "carbonara"))
SNAPSHOT = UnknownWord("snapshot", 4159, (), ("photo",))


def buttons(editor: ClassEditor) -> dict[str, QPushButton]:
    """The buttons with known words, by their text."""
    return {one.text(): one for one in editor.words.findChildren(QPushButton)}


def test_unknown_words_are_told_and_replaced_by_a_click(editor: ClassEditor, qtbot: QtBot) -> None:
    """The nearest known word takes the place of the whole word, in any case, and of nothing that only holds it."""
    editor.set_classes(("Capybara", "red capybara", "capybara-like"), "a photo of a {}.")
    editor.set_unknown_words((CAPYBARA,))
    assert editor.words.isVisible()
    assert editor.words.said().startswith("'capybara' in 2 class names is not among the 4,159 words this model knows")
    assert list(buttons(editor)) == ["capra", "carbonara"]
    assert "“capybara”" in buttons(editor)["capra"].accessibleName()
    with qtbot.waitSignal(editor.changed, timeout=100):
        buttons(editor)["carbonara"].click()
    assert editor.classes() == ("carbonara", "red carbonara", "capybara-like")
    assert not editor.words.isVisible()
    names = editor.findChild(QPlainTextEdit)
    assert names is not None
    names.undo()
    assert editor.classes() == ("Capybara", "red capybara", "capybara-like")
    assert editor.words.isVisible()


def test_a_word_of_the_template_is_replaced_there_alone(editor: ClassEditor, qtbot: QtBot) -> None:
    """Classes that hold the word too keep it."""
    editor.set_classes(("snapshot", "dog"), "a Snapshot of a {}.")
    editor.set_unknown_words((SNAPSHOT,))
    with qtbot.waitSignal(editor.changed, timeout=100):
        buttons(editor)["photo"].click()
    assert (editor.classes(), editor.template()) == (("snapshot", "dog"), "a photo of a {}.")


def test_more_words_than_there_is_room_for_are_counted(editor: ClassEditor) -> None:
    """Three are told with their nearest words, the others in a line; none at all leaves no room behind."""
    many = tuple(UnknownWord(f"word{i}", 78, ("cat",), ("cat",)) for i in range(5))
    editor.set_classes(tuple(one.word for one in many), "{}")
    editor.set_unknown_words(many)
    assert editor.words.said().splitlines()[-1] == "It does not know 2 more words either: 'word3', 'word4'."
    assert len(editor.words.findChildren(QPushButton)) == 3
    editor.set_unknown_words(())
    assert editor.words.said() == ""
    assert not editor.words.isVisible()


def test_restore_is_only_a_wish(editor: ClassEditor, qtbot: QtBot) -> None:
    """The editor does not know the suggestion; it asks for it."""
    button = editor.findChild(QPushButton)
    with qtbot.waitSignal(editor.restore_clicked):
        button.click()
    assert editor.classes() == ("cat", "dog", "bird")
