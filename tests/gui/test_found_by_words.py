"""What is found by its words is found in every language: names of actions, terms of the glossary, a font for the letters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QAction, QFontDatabase
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from capt_gui import translate
from capt_gui.panels.help.term_hover import TermHover
from capt_gui.settings import Settings
from capt_gui.view_models.help.glossary import Glossary
from capt_gui.view_models.help.library import Library
from capt_gui.view_models.preferences.shortcuts import EVERYWHERE, Shortcuts


@pytest.fixture
def chinese(qapp: QApplication) -> Iterator[None]:
    """The window speaks a little Chinese until the test ends."""
    said = {"Open &log folder": "打开日志文件夹(&L)", "Prompts": "提示", "Robust accuracy": "鲁棒准确率"}
    catalogue = translate.install(qapp, said)
    yield
    translate.remove(qapp, catalogue)


@pytest.mark.usefixtures("chinese")
def test_an_action_keeps_its_name_in_the_settings() -> None:
    """Its title drops the letter in brackets; keys that were chosen in English are found in Chinese, and the other way round."""
    settings = Settings(shortcuts={"window: Open log folder": "F9"})
    shortcuts = Shortcuts(settings)
    shortcuts.take([(EVERYWHERE, "帮助(&H)", QAction(translate.tr("Open &log folder")))])
    (command,) = shortcuts.commands
    assert (command.title, command.menu, command.keys) == ("打开日志文件夹", "帮助", ("F9",))


@pytest.mark.usefixtures("chinese")
def test_a_term_is_known_by_its_translation() -> None:
    """A label or button in Chinese leads to the line of the glossary that its English words lead to; other words to none."""
    hover = TermHover(Glossary(Library()))
    named = {text: hover.term_of(QLabel(text)) for text in ("提示", "鲁棒准确率", "图片")}
    assert {text: term.name if term else "" for text, term in named.items()} == {
        "提示": "prompt",
        "鲁棒准确率": "accuracy, robust",
        "图片": "",
    }
    button = hover.term_of(QPushButton("鲁棒准确率"))
    assert button == named["鲁棒准确率"]


def test_chinese_letters_come_from_a_font_that_is_made_for_them(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The family behind the usual one is the first that is there; German needs none."""
    usual = qapp.font()
    monkeypatch.setattr(QFontDatabase, "families", lambda *_: ["Noto Sans CJK JP", "Noto Sans SC", "Noto Sans CJK SC"])
    translate._fit_font(qapp, QLocale("de").script())
    assert qapp.font() == usual
    translate._fit_font(qapp, QLocale("zh_CN").script())
    families = qapp.font().families()
    qapp.setFont(usual)
    assert families[1:] == ["Noto Sans CJK SC"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Quick. Minutes on a CPU. Or so.", ("Quick.", "Minutes on a CPU. Or so.")),
        ("很快。用 CPU 只需 2.5 分钟。", ("很快。", "用 CPU 只需 2.5 分钟。")),
        ("One alone.", ("One alone.", "")),
    ],
)
def test_the_first_sentence_ends_at_the_full_stop_of_its_language(text: str, found: tuple[str, str]) -> None:
    """Chinese ends a sentence with 。 and leaves no space behind it."""
    assert translate.first_sentence(text) == found
