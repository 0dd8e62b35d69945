"""The languages of the window: what a catalogue answers, and that each catalogue says all that the program asks of it."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QObject
from PySide6.QtWidgets import QApplication, QDialogButtonBox

from capt_gui import translate
from capt_gui.translate import ENGINE, Catalogue, Patterns, counted, install, languages, remove, spoken, tr

ROOT = Path(__file__).parents[2]
CATALOGUES = ROOT / "resources" / "i18n"

# Words that are not written where they are asked for: `later` marks them in their table.
NOT_THERE = {
    "_ABOUT",
    "_CAPTIONS[item.pending]",
    "info.title",
    "info.summary",
    "self.title",
    "title",
    "self.explained",
    "STEPS[step].title",
    "STEPS[here + 1].title",
}


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The module docs/languages.py."""
    spec = importlib.util.spec_from_file_location("languages_of_the_window", ROOT / "docs" / "languages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # dataclasses ask for it
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def speaks(qapp: QApplication) -> Iterator[Callable[[Mapping[str, str]], None]]:
    """A function that lets the window speak some translations until the test ends."""
    known: list[Catalogue] = []
    yield lambda texts: known.append(install(qapp, texts))
    for one in known:
        remove(qapp, one)


def test_every_way_to_ask_is_answered(speaks: Callable[[Mapping[str, str]], None]) -> None:
    """tr, a QObject's tr, counts and comments take the catalogue's word; what it lacks, or has empty, stays English."""
    speaks(
        {"Pictures": "Bilder", "1 class": "1 Klasse", "{} classes": "{} Klassen", "Open␟state": "offen", "Close": ""}
    )
    assert (tr("Pictures"), QObject().tr("Pictures")) == ("Bilder", "Bilder")
    assert (counted(1, "1 class", "{} classes"), counted(3, "1 class", "{} classes")) == ("1 Klasse", "3 Klassen")
    assert (tr("Open", "state"), tr("Open"), tr("Pictures", "state")) == ("offen", "Open", "Bilder")
    assert (tr("Close"), QObject().tr("Close"), tr("")) == ("Close", "Close", "")


def test_sentences_of_the_engine(speaks: Callable[[Mapping[str, str]], None]) -> None:
    """A sentence is known by its pattern, its values come back in the translation's order, and others stay as they are."""
    said = {"Clean": "Ohne Angriff", "{} of {}␟engine": "{1}: {0}", "{} of {} pictures␟engine": "von {1} Bildern {0}"}
    speaks(said)
    assert spoken("Clean") == "Ohne Angriff"
    assert spoken("3 of 7 pictures") == "von 7 Bildern 3"
    assert spoken("3 of 7") == "7: 3"
    assert spoken("the best of all") == "the best of all"
    assert spoken("anything else") == "anything else"
    assert tr("{} of {} pictures") == "{} of {} pictures"


def test_sentences_one_behind_the_other(speaks: Callable[[Mapping[str, str]], None]) -> None:
    """Each known sentence of several is translated, and values that are words of the engine are, but no single word."""
    speaks(
        {
            "It is empty.": "Er ist leer.",
            "picture": "Bild",
            "{} holds no picture.␟engine": "In {} ist kein Bild.",
            "{} pictures␟engine": "{} Bilder",
            "{} were read.␟engine": "Gelesen: {}.",
            "{}step {} of {}␟engine": "{}Schritt {} von {}",
            "One step is enough.": "Ein Schritt reicht.",
        }
    )
    assert spoken("a.b holds no picture. It is empty.") == "In a.b ist kein Bild. Er ist leer."
    assert spoken("It is empty. Nobody knows this one.") == "Er ist leer. Nobody knows this one."
    assert spoken("3 pictures were read.") == "Gelesen: 3 Bilder."
    assert (
        spoken("One step is enough. It is empty. The mean of 3.") == "Ein Schritt reicht. Er ist leer. The mean of 3."
    )
    assert spoken("picture holds no picture.") == "In picture ist kein Bild."


def test_the_engines_sentences_are_found_by_their_pattern(generator: ModuleType) -> None:
    """Each pattern of the engine, filled with values, is known as itself or as one that says the same."""
    patterns = [key.removesuffix(ENGINE) for key in generator.engine_texts() if key.endswith(ENGINE)]
    told = Patterns({pattern: f"<{pattern}>" for pattern in patterns})
    lost = [one for one in patterns if re.sub(r"[<>]", "", told.translated(filled(one))) != filled(one)]
    assert not lost, lost[:10]
    assert len(patterns) > 400


def filled(pattern: str) -> str:
    """Return the pattern with a number in each place."""
    return pattern.format(*range(11, 30))


def test_the_pattern_with_most_words_wins() -> None:
    """Where several patterns fit, the one that says most itself is taken, in whatever order they stand."""
    known = {"{}: {}": "a", "File {}: {}": "b {0} {1}", "File {}: {} is empty": "c {0} {1}"}
    for told in (known, dict(reversed(known.items()))):
        assert Patterns(told).translated("File {x}: y\n is empty") == "c {x} y\n"
        assert Patterns(told).translated("File x: y") == "b x y"
        assert Patterns(told).translated("x") == ""


@pytest.mark.parametrize(
    ("choice", "found"),
    [("de", True), ("de_AT", True), ("zh_SG", True), ("zh_TW", False), ("en_GB", False), ("fr", False), ("", False)],
)
def test_a_language_is_found_by_its_script(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str, found: bool
) -> None:
    """Another country's German is German; traditional Chinese is not the simplified one; English needs no file."""
    for code in ("de", "zh_CN"):
        (tmp_path / f"{code}.json").write_text(json.dumps({"Pictures": code}))
    monkeypatch.setattr(translate, "resource", lambda _: tmp_path)
    assert translate.install_language(qapp, choice) is found
    assert tr("Pictures") == (("de" if choice[:2] == "de" else "zh_CN") if found else "Pictures")
    assert (QCoreApplication.translate("QPlatformTheme", "Cancel") != "Cancel") is found
    if found:
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        assert box.buttons()[0].text() != "Cancel"
    assert [code for code, _ in languages()] == ["en", "de", "zh_CN"]
    forget(qapp)


def forget(app: QApplication) -> None:
    """Take back every language that was installed."""
    for one in app.findChildren(translate.QTranslator):
        app.removeTranslator(one)
    translate._installed.clear()


def test_a_damaged_catalogue_leaves_english(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is no catalogue does not keep the window from opening."""
    (tmp_path / "de.json").write_text("[1")
    monkeypatch.setattr(translate, "resource", lambda _: tmp_path)
    translate.install_language(qapp, "de")
    assert tr("Pictures") == "Pictures"
    forget(qapp)


def test_each_catalogue_is_complete(generator: ModuleType) -> None:
    """Every text that the window shows has its line in every language, no line is left over, and values have their places."""
    codes = [path.stem for path in sorted(CATALOGUES.glob("*.json"))]
    assert codes == ["de", "zh_CN"]
    told = [f"{code}: {one}" for code in codes for one in generator.problems(code)]
    assert not told, "\n".join(told[:60])


def test_words_from_elsewhere_are_marked(generator: ModuleType) -> None:
    """A text that is not written where tr is called stands in a table whose words `later` marks."""
    calls = [one for one in generator.asked_in(ROOT / "capt_gui") if one.key is None]
    new = [one for one in calls if not any(f"({known})" in one.code for known in NOT_THERE)]
    assert not [f"{one.place} {one.code}" for one in new if "capt_gui/translate.py" not in one.place]


@pytest.mark.parametrize(
    ("source", "said", "wrong"),
    [
        ("{} of {}", "{1} von {0}", 0),
        ("{} of {}", "{} von", 1),
        ("{name}: {:,}", "{name}: {}", 1),
        ("S&ave && close…", "&Sichern && schließen…", 0),
        ("S&ave…", "Sichern", 2),
        ("<b>A</b> &amp; B", "<b>A</b> &amp; B", 0),
        ("<b>A</b>", "<b>A", 1),
        (" · ", "·", 1),
        ("Open␟state {}", "offen", 0),
    ],
)
def test_what_must_be_the_same(generator: ModuleType, source: str, said: str, wrong: int) -> None:
    """Places for values, tags, keyboard letters, dots and spaces at the ends are compared; the words are the translator's."""
    assert len(generator.differences(source, said)) == wrong


def test_a_new_language_is_one_command(
    generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It writes a line for every text, keeps what is translated, drops what the program no longer says, and says how many."""
    monkeypatch.setattr(generator, "CATALOGUES", tmp_path / "i18n")
    generator.main("fr")
    path = tmp_path / "i18n" / "fr.json"
    made: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8"))
    assert set(made) == set(generator.texts())
    assert list(made) == sorted(made)
    path.write_text(json.dumps({"Pictures": "Images", "Gone": "Parti"}), encoding="utf-8")
    generator.main("fr")
    assert json.loads(path.read_text(encoding="utf-8")) == dict.fromkeys(made, "") | {"Pictures": "Images"}
    assert "no longer in the program: 'Gone'" in capsys.readouterr().out


def test_names_of_languages() -> None:
    """A language is offered by the name that its speakers know."""
    assert QLocale("zh_CN").nativeLanguageName() == "简体中文"
    assert languages()[0] == ("en", "English")
