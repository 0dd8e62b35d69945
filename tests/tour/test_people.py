"""Somebody new: the simple view, the tour, the help behind every word, the preferences, a report of a problem."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from guest import Guest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit, QListWidget, QPlainTextEdit, QTextBrowser, QToolTip, QTreeWidget

Shot = Callable[..., None]


def test_a_teacher_sees_an_adversarial_picture_without_a_manual(guest: Guest, shot: Shot) -> None:
    """From the empty simple view to the fooled model it takes two clicks, and one more shows everything."""
    guest.choose("View", "Simple view")
    assert not guest.window.rail.isVisible()
    shot("simple-empty")
    guest.click("Take a sample")
    guest.until(lambda: "The model says “" in guest.words())
    shot("simple-answer")
    guest.click("Try to fool the model")
    guest.until(lambda: "has become" in guest.words())
    assert "That is an adversarial picture." in guest.words()
    shot("simple-fooled")
    guest.click("Show everything")
    guest.settle()
    assert guest.window.rail.isVisible()
    assert guest.settings.view == "full"
    shot("simple-to-full")


def test_the_tour_walks_through_the_window_and_can_be_left(guest: Guest, shot: Shot) -> None:
    """It is in the Help menu each time; the toy world is its example, and its last card says how it comes again."""
    guest.choose("Help", "Show me around")
    tour = guest.window.tour
    shot("tour-1")
    guest.click("Next")
    guest.until(lambda: tour.next.isEnabled())
    for number in range(2, len(tour.stops) + 1):
        assert f"{number} of {len(tour.stops)}" in guest.words(tour)
        shot(f"tour-{number}")
        guest.click("Next" if number < len(tour.stops) else "Done")
    assert not tour.isVisible()
    guest.choose("Help", "Show me around")
    assert tour.isVisible()
    guest.keys("Esc", tour)
    assert not tour.isVisible()


def test_the_guide_opens_at_what_has_the_focus(guest: Guest, shot: Shot) -> None:
    """F1 leads to a page, the search to another, Back to the first; a link out of the help opens only when it may."""
    guest.window.show_page("evaluate")
    guest.window.page.setFocus()
    guest.keys("F1", guest.window)
    help_window = guest.dialog()
    browser = guest.find(QTextBrowser, "Page of the help", help_window)
    guest.until(lambda: "Evaluate" in browser.toPlainText())
    shot("help-page", help_window)
    guest.type("robust", guest.find(QLineEdit, "Search the help", help_window))
    hits = guest.find(QListWidget, "Places found", help_window)
    assert hits.count() > 1
    QTest.mouseClick(hits.viewport(), Qt.MouseButton.LeftButton, pos=hits.visualItemRect(hits.item(0)).center())
    shot("help-search", help_window)
    assert "robust" in browser.toPlainText()
    guest.click("Back", help_window)
    assert browser.source().path() == "/guide/evaluate.md"
    opened: list[str] = []
    guest.window.help_desk.help.open_remote = lambda url: opened.append(url.toString())
    guest.settings.offline = True
    browser.on_link(browser.source().resolved("https://arxiv.org/abs/1412.6572"))
    assert "works offline" in guest.words(help_window)
    guest.settings.offline = False
    browser.on_link(browser.source().resolved("https://arxiv.org/abs/1412.6572"))
    assert opened == ["https://arxiv.org/abs/1412.6572"]


def test_a_word_of_the_field_says_what_it_means(guest: Guest) -> None:
    """The mouse rests on "Prompts": the sentence stands there, and F1 opens the glossary at it."""
    label = guest.find_label("Prompts")
    guest.rest_on(label)
    assert QToolTip.text().startswith("prompt: ")
    guest.keys("F1", guest.window)
    browser = guest.find(QTextBrowser, "Page of the help", guest.dialog())
    assert (browser.source().path(), browser.source().fragment()) == ("/glossary.md", "prompt")


def test_the_sheet_of_shortcuts_is_that_of_the_actions(guest: Guest, shot: Shot) -> None:
    """Ctrl+/ lists the keys there are now, the changed ones too."""
    guest.keys("Ctrl+,")
    preferences = guest.dialog()
    guest.type("clear the gallery", guest.find(QLineEdit, "Search the settings", preferences))
    tree = guest.find(QTreeWidget, "Actions and their keys", preferences)
    shortcuts = guest.window.shortcuts
    command = next(one for one in shortcuts.commands if one.title == "Clear the gallery")
    guest.window.preferences_dialog.shortcut_list.choose(command)
    assert tree.currentItem().text(0) == "Clear the gallery"
    guest.keys("F5", guest.window.preferences_dialog.shortcut_list.keys)
    assert "“Run” already" in guest.words(preferences)
    shot("preferences-shortcut", preferences)
    guest.keys("Ctrl+Shift+K", guest.window.preferences_dialog.shortcut_list.keys)
    guest.click("Use these keys", preferences)
    assert command.keys == ("Ctrl+Shift+K",)
    preferences.close()
    guest.window.activateWindow()
    guest.until(guest.window.isActiveWindow)
    guest.keys("Ctrl+/", guest.window)
    browser = guest.find(QTextBrowser, "Page of the help", guest.dialog())
    assert "Ctrl+Shift+K" in browser.toPlainText()
    shot("shortcuts", guest.dialog())
    shortcuts.restore_all()


def test_preferences_hold_at_once_or_say_from_when_on(guest: Guest, shot: Shot) -> None:
    """The theme changes under the dialog; the size of everything waits for the next start and says so."""
    guest.choose("Edit", "Preferences")
    preferences = guest.dialog()
    shot("preferences", preferences)
    guest.type("theme", guest.find(QLineEdit, "Search the settings", preferences))
    theme = guest.find(QComboBox, "Theme", preferences)
    other = "Light" if guest.look == "dark" else "Dark"
    theme.setCurrentText(other)
    theme.activated.emit(theme.currentIndex())
    assert guest.desk.theme.choice == other.lower()
    search = guest.find(QLineEdit, "Search the settings", preferences)
    search.clear()
    guest.type("size of everything", search)
    scale = guest.find(QComboBox, "Size of everything", preferences)
    scale.setCurrentText("150 %")
    scale.activated.emit(scale.currentIndex())
    assert "Holds from the next start of the program." in guest.words(preferences)
    shot("preferences-scale", preferences)
    guest.click("Size of everything: back to the usual value", preferences)
    assert guest.settings.ui_scale == 100


def test_a_problem_is_copied_and_nothing_is_sent(guest: Guest, shot: Shot) -> None:
    """The text is shown first; the clipboard holds it after Copy, and no folder of the user is in it."""
    guest.choose("Help", "Report a problem")
    dialog = guest.dialog()
    shot("problem", dialog)
    shown = guest.find(QPlainTextEdit, "Report of the problem", dialog).toPlainText()
    guest.click("Copy", dialog)
    assert QGuiApplication.clipboard().text() == shown
    assert "torch" in shown
    assert str(guest.folder) not in shown
    assert str(Path.home()) not in shown
