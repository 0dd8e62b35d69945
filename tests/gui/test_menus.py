"""The menus of every page: each letter that opens an entry opens one entry only, in every language."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench
from fakes import READY
from PySide6.QtWidgets import QMenu

from capt_engine.resources import resource
from capt_gui.main_window import MainWindow
from capt_gui.pages import PAGES
from capt_gui.view_models.settings_keeper import SettingsKeeper

_LETTER = re.compile(r"&(\w)")


@pytest.fixture(scope="module")
def catalogues() -> dict[str, dict[str, str]]:
    """What each language says for the English texts; English itself says nothing else."""
    files = sorted(resource("i18n").glob("*.json"))
    return {"en": {}} | {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


@pytest.fixture
def window(bench: Bench, tmp_path: Path) -> Iterator[MainWindow]:
    """The window with all pages made."""
    bench.engine.emit(READY)
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    window.show()
    yield window
    window.close()
    window.deleteLater()


def entries(menu: QMenu) -> list[str]:
    """The words of the entries that can be seen in a menu, or would be if it were opened, as they are written in the program."""
    return [one.text() for one in menu.actions() if one.isVisible() and not one.isSeparator()]


def letters(texts: list[str]) -> list[str]:
    """The letters that open an entry, of those that have one; "&&" is a sign."""
    return [found[1].casefold() for text in texts if (found := _LETTER.search(text.replace("&&", "")))]


def test_no_letter_opens_two_entries_of_a_menu(window: MainWindow, catalogues: dict[str, dict[str, str]]) -> None:
    """The menu bar and each menu in it, and in those, on every page, in English, German and Chinese."""
    assert list(catalogues) == ["en", "de", "zh_CN"]
    twice, seen = [], 0
    for page in PAGES:
        window.show_page(page.key)
        bar = [one for one in window.menuBar().actions() if one.isVisible()]
        menus = {"bar": [one.text() for one in bar]}
        found = [menu for one in bar if isinstance(menu := one.menu(), QMenu)]
        while found:
            menu = found.pop()
            menus[menu.title()] = entries(menu)
            found += [inner for one in menu.actions() if isinstance(inner := one.menu(), QMenu)]
        for code, catalogue in catalogues.items():
            for title, texts in menus.items():
                told = letters([catalogue.get(text, text) for text in texts])
                seen += len(told)
                twice += [f"{code}, {page.key}, {title}: {one}" for one, n in Counter(told).items() if n > 1]
    assert seen > 300
    assert not twice, "\n".join(twice)
