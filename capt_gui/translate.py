"""The languages of the window: a catalogue of translations per language, what Qt asks of it, and sentences of the engine.

A catalogue is `resources/i18n/<code>.json`: English text → translation, an empty one where there is none yet. A text that
needs two translations has its comment behind it, as Qt's tr has it in its second argument: `text␟comment`. The sentences
that the engine forms with values stand there as their pattern, `{} holds no picture.␟engine`, and are found by `spoken`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from capt_engine.reading import json_if_sound
from capt_engine.resources import resource

COMMENT = "␟"
ENGINE = f"{COMMENT}engine"

_QT_FOLDER = QLibraryInfo.LibraryPath.TranslationsPath
_FIELD = re.compile(r"\{(\d*)\}")


class Catalogue(QTranslator):
    """The translations of one language, for Qt's tr and for `spoken`: key → translation. Classes (contexts) are ignored."""

    def __init__(self, texts: Mapping[str, str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._texts = texts

    def isEmpty(self) -> bool:
        """Return False: Qt has no need to know that nothing is translated."""
        return False

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        """Return the translation of `source`, None where there is none; `disambiguation` is the comment of the key, if any."""
        del context, n
        commented = self._texts.get(f"{source}{COMMENT}{disambiguation}") if disambiguation else None
        return commented or self._texts.get(source) or None

    def spoken(self, text: str) -> str:
        """Return the translation of `text`, a text or sentence of the engine; `text` itself where there is none."""
        return self._texts.get(text) or self._patterns.translated(text) or text

    @cached_property
    def _patterns(self) -> Patterns:
        return Patterns({key.removesuffix(ENGINE): self._texts[key] for key in self._texts if key.endswith(ENGINE)})


class Patterns:
    """Sentences with places for values, `{} of {} pictures`, and their translations, where a place may have its number."""

    def __init__(self, translations: Mapping[str, str]) -> None:
        # the pattern that says most itself goes first
        told = sorted(translations.items(), key=lambda one: (-len(_FIELD.sub("", one[0])), one[0]))
        self._known = [(_FIELD.split(pattern, maxsplit=1)[0], pattern, said) for pattern, said in told if said]
        self._compiled: dict[str, re.Pattern[str]] = {}

    def translated(self, text: str) -> str:
        """Return the translation of the sentence `text` with its values in their places, "" where no pattern fits."""
        for start, pattern, said in self._known:
            if text.startswith(start) and (found := self._expression(pattern).fullmatch(text)):
                return said.format(*found.groups())
        return ""

    def _expression(self, pattern: str) -> re.Pattern[str]:
        if pattern not in self._compiled:
            parts = _FIELD.split(pattern)[::2]
            self._compiled[pattern] = re.compile("(.*?)".join(map(re.escape, parts)), re.DOTALL)
        return self._compiled[pattern]


_installed: list[Catalogue] = []


def tr(text: str, comment: str = "") -> str:
    """Return `text` in the language of the window, unchanged where there is no translation.

    comment: tells apart two uses of the same words that other languages say in two ways.
    """
    return QCoreApplication.translate("capt", text, comment or None)


def later(text: str) -> str:
    """Return `text` as it is: a mark of words in a table, which `tr` is asked for where they are shown."""
    return text


def counted(n: int, one: str, many: str) -> str:
    """Return the translation of `one` if `n` is 1, else of `many`, with `n` in the place of "{}"."""
    return tr(one if n == 1 else many).format(n)


def spoken(text: str) -> str:
    """Return `text`, which the engine wrote (a label, a sentence, an error), in the language of the window.

    Unchanged where there is no translation: a text from a file, a plug-in or a library.
    """
    return _installed[-1].spoken(text) if _installed else text


def languages() -> tuple[tuple[str, str], ...]:
    """Return (code, name in itself) of every language that is installed, English first."""
    return (("en", "English"), *((code, QLocale(code).nativeLanguageName() or code) for code in sorted(_catalogues())))


def install_language(app: QCoreApplication, choice: str) -> bool:
    """Let `app` speak the language of the code `choice`, "system" for that of the system; return True if it is not English.

    A language that is not installed leaves English. Qt's own texts follow where Qt has them in that language.
    """
    wanted = [QLocale(name) for name in QLocale.system().uiLanguages()] if choice == "system" else [QLocale(choice)]
    found = _first_of(wanted)
    if not found:
        return False
    qt = QTranslator(app)
    if qt.load(QLocale(found), "qtbase", "_", QLibraryInfo.path(_QT_FOLDER)):
        app.installTranslator(qt)
    install(app, json_if_sound(_catalogues()[found], dict[str, str]) or {})
    return True


def install(app: QCoreApplication, texts: Mapping[str, str]) -> Catalogue:
    """Let `app` speak the translations `texts`, as of a catalogue, until `remove` is called with what is returned."""
    catalogue = Catalogue(texts, app)
    app.installTranslator(catalogue)
    _installed.append(catalogue)
    return catalogue


def remove(app: QCoreApplication, catalogue: Catalogue) -> None:
    """Let `app` no longer speak the translations of `catalogue`."""
    app.removeTranslator(catalogue)
    _installed.remove(catalogue)


def _catalogues() -> dict[str, Path]:
    """The files of translations, by the code of their language."""
    return {path.stem: path for path in resource("i18n").glob("*.json")}


def _first_of(wanted: Iterable[QLocale]) -> str:
    """The code of the first installed language that is asked for, whatever the country; "" for English or none.

    The script must be the same: who reads traditional Chinese is not given the simplified one.
    """
    installed = {(QLocale(code).language(), QLocale(code).script()): code for code in _catalogues()}
    for locale in wanted:
        if locale.language() == QLocale.Language.English:
            return ""
        if code := installed.get((locale.language(), locale.script())):
            return code
    return ""
