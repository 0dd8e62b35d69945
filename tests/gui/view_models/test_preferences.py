"""The preferences are described once: every description fits its setting, and keys go where the user puts them."""

from __future__ import annotations

import itertools
import os
from dataclasses import fields

import pytest
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication

from capt_gui.settings import Settings
from capt_gui.view_models.help.shortcut_sheet import shortcut_sheet
from capt_gui.view_models.preferences.model import Preferences
from capt_gui.view_models.preferences.shortcuts import EVERYWHERE, Shortcuts
from capt_gui.view_models.preferences.table import CHOICE, FOLDER, NUMBER, SWITCH
from capt_gui.widgets.actions import make_action

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def preferences(monkeypatch: pytest.MonkeyPatch) -> Preferences:
    """The preferences of a first start."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    return Preferences(Settings())


def test_every_description_fits_its_setting(preferences: Preferences) -> None:
    """Each describes a field that there is, once, and its editor can hold the default."""
    names = [one.name for one in preferences.table]
    assert len(set(names)) == len(names)
    assert set(names) <= {one.name for one in fields(Settings)}
    for one in preferences.table:
        assert one.label
        assert one.help.endswith(".")
        if one.kind == CHOICE:
            assert one.default in [value for value, _ in one.choices], one.name
        elif one.kind == NUMBER:
            assert isinstance(one.default, int | float)
            assert one.low <= one.default <= one.high, one.name
        elif one.kind == FOLDER:
            assert (one.default, bool(one.usual)) == ("", True)
        else:
            assert (one.kind, type(one.default)) == (SWITCH, bool)


def test_settings_of_one_section_stand_together(preferences: Preferences) -> None:
    """The sections of the table, read downwards, change as often as there are sections."""
    read = [one.section for one in preferences.table]
    changes = sum(a != b for a, b in itertools.pairwise(read)) + 1
    assert changes == len(preferences.sections())


def test_a_change_is_stored_told_and_waits_only_where_it_must(preferences: Preferences) -> None:
    """A theme holds at once, the size of everything from the next start on; the same value again is no change."""
    heard: list[str] = []
    preferences.changed.connect(heard.append)
    by_name = {one.name: one for one in preferences.table}
    preferences.set("theme", "dark")
    preferences.set("theme", "dark")
    preferences.set("ui_scale", 150)
    assert heard == ["theme", "ui_scale"]
    assert (preferences.settings.theme, preferences.settings.ui_scale) == ("dark", 150)
    assert [preferences.waits(by_name[name]) for name in ("theme", "ui_scale")] == [False, True]
    preferences.set("ui_scale", 100)
    assert not preferences.waits(by_name["ui_scale"])


def test_offline_holds_at_once(preferences: Preferences) -> None:
    """The engine, and the process that fetches, look at the environment before each download."""
    os.environ.pop("HF_HUB_OFFLINE", None)
    preferences.set("offline", True)
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    preferences.set("offline", False)
    assert "HF_HUB_OFFLINE" not in os.environ


@pytest.mark.parametrize(("words", "name"), [("GPU", "device"), ("trash days", "trash_days"), ("DARK", "theme")])
def test_a_search_finds_a_setting_by_any_of_its_words(preferences: Preferences, words: str, name: str) -> None:
    """Labels, sentences, choices and further words are looked through."""
    assert name in [one.name for one in preferences.table if one.fits(words)]


def action(text: str, *keys: str) -> QAction:
    """A menu action with these keys."""
    made = QAction(text)
    made.setShortcuts([QKeySequence(one) for one in keys])
    return made


@pytest.fixture
def shortcuts() -> Shortcuts:
    """Three actions: one of the window, and one each of two pages."""
    made = Shortcuts(Settings())
    made.take(
        [
            (EVERYWHERE, "&File", action("&Quit", "Ctrl+Q")),
            ("explore", "&File", action("Open p&ictures…", "Ctrl+O")),
            ("tune", "&File", action("Choose a &folder…", "Ctrl+O", "Ctrl+D")),
        ]
    )
    return made


def test_keys_of_different_pages_are_not_in_each_others_way(shortcuts: Shortcuts) -> None:
    """Ctrl+O means one thing on each page; what works everywhere is in the way of all."""
    leave, open_pictures, open_folder = shortcuts.commands
    assert (open_pictures.title, open_folder.title) == ("Open pictures", "Choose a folder")
    assert shortcuts.conflict(open_pictures, "Ctrl+O") is None
    assert shortcuts.conflict(open_pictures, "Ctrl+D") is None
    assert shortcuts.conflict(open_pictures, "Ctrl+Q") is leave
    assert shortcuts.conflict(leave, "Ctrl+D") is open_folder
    assert shortcuts.conflict(leave, "") is None


def test_keys_that_are_taken_are_lost_to_the_other(shortcuts: Shortcuts) -> None:
    """After that each answers to its own; the usual keys come back with one call."""
    leave, open_pictures, open_folder = shortcuts.commands
    shortcuts.set_keys(open_pictures, "Ctrl+Q")
    assert (open_pictures.keys, leave.keys) == (("Ctrl+Q",), ())
    assert not shortcuts.is_usual(leave)
    shortcuts.set_keys(leave, "Ctrl+O")
    assert (leave.keys, open_folder.keys) == (("Ctrl+O",), ("Ctrl+D",))
    shortcuts.restore_all()
    assert (leave.keys, open_pictures.keys, open_folder.keys) == (("Ctrl+Q",), ("Ctrl+O",), ("Ctrl+O", "Ctrl+D"))


def test_chosen_keys_are_there_at_the_next_start() -> None:
    """They are kept in the settings under a name that no language changes, and given again to an action of those usual keys."""
    settings = Settings(shortcuts={"explore: Ctrl+O": "F9", "window: Ctrl+Q": ""})
    later = Shortcuts(settings)
    later.take(
        [("explore", "&Datei", action("Bilder öffnen…", "Ctrl+O")), (EVERYWHERE, "&Datei", action("&Ende", "Ctrl+Q"))]
    )
    assert [one.keys for one in later.commands] == [("F9",), ()]
    later.restore(later.commands[0])
    assert later.commands[0].keys == ("Ctrl+O",)
    assert settings.shortcuts == {"window: Ctrl+Q": ""}


def test_a_key_that_the_system_has_not_is_none(qapp: QApplication) -> None:
    """An action with a standard key that is empty here has no keys, and does not stand in the sheet of shortcuts."""
    made = make_action(qapp, "&Quit", print, QKeySequence.StandardKey.UnknownKey, "")
    assert made.shortcuts() == []
    shortcuts = Shortcuts(Settings())
    shortcuts.take([(EVERYWHERE, "&File", made), (EVERYWHERE, "&File", action("&Save", "Ctrl+S"))])
    sheet = shortcut_sheet(shortcuts.commands, {EVERYWHERE: "Everywhere"})
    assert "| Save | `Ctrl+S` |" in sheet
    assert "Quit" not in sheet
    assert "``" not in sheet
