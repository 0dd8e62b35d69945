"""The languages of the window: a catalogue of translations per language, what Qt asks of it, and sentences of the engine.

A catalogue is `resources/i18n/<code>.json`: English text → translation, an empty one where there is none yet. A text that
needs two translations has its comment behind it, as Qt's tr has it in its second argument: `text␟comment`. The sentences
that the engine forms with values stand there as their pattern, `{} holds no picture.␟engine`, and are found by `spoken`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from string import Formatter

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator
from PySide6.QtGui import QFontDatabase, QFontInfo, QGuiApplication

from capt_engine.reading import json_if_sound
from capt_engine.resources import resource

COMMENT = "␟"
ENGINE = f"{COMMENT}engine"

_QT_FOLDER = QLibraryInfo.LibraryPath.TranslationsPath
# the first of them that is installed: macOS, Windows, Linux
_FAMILIES = {
    QLocale.Script.SimplifiedHanScript: (
        "PingFang SC", "Microsoft YaHei UI", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC",
        "WenQuanYi Micro Hei",
    ),
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]{2,}")
_ENDS = re.compile(r"(?<=[.!?…]) ")


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
        """Return the translation of `text`, a text or sentences of the engine; `text` itself where there is none."""
        if not text:
            return text
        known = self._whole(text)
        for cut in () if known else _ENDS.finditer(text):
            # several sentences, one behind the other
            if first := self._whole(text[: cut.start()]):
                return f"{first} {self.spoken(text[cut.end() :])}"
        return known or text

    def _whole(self, text: str) -> str:
        return self._texts.get(text) or self._patterns.translated(text, self._value)

    def _value(self, value: str) -> str:
        """A value may be words of the engine too, such as "3 pictures"; a single word is a name of somebody's."""
        return (self._whole(value) or value) if " " in value else value

    def source(self, text: str) -> str:
        """Return the English text that `text` is the translation of; `text` itself where it is none."""
        return self._sources.get(text, text)

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {said: key.partition(COMMENT)[0] for key, said in reversed([*self._texts.items()])}

    @cached_property
    def _patterns(self) -> Patterns:
        return Patterns({key.removesuffix(ENGINE): self._texts[key] for key in self._texts if key.endswith(ENGINE)})


class Patterns:
    """Sentences with places for values, `{} of {} pictures`, and their translations, where a place may have its number.

    A pattern with few words of its own takes numbers only, or it would fit what it does not mean.
    """

    def __init__(self, translations: Mapping[str, str]) -> None:
        parts = {pattern: tuple(_literals(pattern)) for pattern, said in translations.items() if said}
        # the pattern that says most itself goes first
        ordered = sorted(parts, key=lambda pattern: (-sum(map(len, parts[pattern])), pattern))
        self._known = [(parts[pattern], pattern, translations[pattern]) for pattern in ordered]
        self._compiled: dict[str, re.Pattern[str]] = {}

    def translated(self, text: str, of_value: Callable[[str], str] = str) -> str:
        """Return the translation of the sentence `text` with its values in their places, "" where no pattern fits.

        of_value: gives what is put in the place of a value.
        """
        for parts, pattern, said in self._known:
            # most patterns are ruled out by their words, without a regular expression
            if text.startswith(parts[0]) and text.endswith(parts[-1]) and all(part in text for part in parts):
                found = self._expression(pattern, parts).fullmatch(text)
                if found:
                    return said.format(*map(of_value, found.groups()))
        return ""

    def _expression(self, pattern: str, parts: Sequence[str]) -> re.Pattern[str]:
        if pattern not in self._compiled:
            begins = bool(_WORD.match(parts[0]))
            is_named = begins or len(_WORD.findall(" ".join(parts))) > 1
            # what begins with a value might else take several sentences for it
            place = "(.*?)" if begins else r"((?:(?![.!?…] ).)*?)" if is_named else r"([\W\d]*?)"
            self._compiled[pattern] = re.compile(place.join(map(re.escape, parts)), re.DOTALL)
        return self._compiled[pattern]


def _literals(pattern: str) -> Iterator[str]:
    """The words of a pattern before, between and behind its places."""
    is_open = True
    for words, field, _, _ in Formatter().parse(pattern):
        yield words
        is_open = field is not None
    if is_open:
        yield ""


_installed: list[Catalogue] = []


def tr(text: str, comment: str = "") -> str:
    """Return `text` in the language of the window, unchanged where there is no translation.

    comment: tells apart two uses of the same words that other languages say in two ways.
    """
    return QCoreApplication.translate("capt", text, comment or None)


def later(text: str) -> str:
    """Return `text` as it is: a mark of words in a table, which `tr` is asked for where they are shown."""
    return text


def counted(n: int, one: str, many: str, *more: object) -> str:
    """Return the translation of `one` if `n` is 1, else of `many`, with `n` in the place of "{}" or "{0}".

    more: the values of further places, "{1}" and on.
    """
    return tr(one if n == 1 else many).format(n, *more)


def spoken(text: str) -> str:
    """Return `text`, which the engine wrote (a label, a sentence, an error), in the language of the window.

    Unchanged where there is no translation: a text from a file, a plug-in or a library.
    """
    return _installed[-1].spoken(text) if _installed else text


def source(text: str) -> str:
    """Return the English text that `text` is the translation of, for what is found by it in every language.

    `text` itself where it is no translation, or holds values.
    """
    return _installed[-1].source(text) if _installed else text


def first_sentence(text: str) -> tuple[str, str]:
    """Return the first of several sentences with its full stop, also that of Chinese, and the others; "" where there is no other."""
    first, stop, rest = text.partition("。" if "。" in text else ". ")
    return first + stop.strip(), rest


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
    if isinstance(app, QGuiApplication):
        _fit_font(app, QLocale(found).script())
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


def _fit_font(app: QGuiApplication, script: QLocale.Script) -> None:
    """Let a family that is made for `script` stand in for the letters that the usual one has not.

    Without it the system may take a Japanese one for Chinese, whose characters and commas have other shapes.
    """
    there = set(QFontDatabase.families()) if script in _FAMILIES else set()
    made_for = [family for family in _FAMILIES.get(script, ()) if family in there]
    if made_for:
        font = app.font()
        font.setFamilies([QFontInfo(font).family(), made_for[0]])
        app.setFont(font)


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
