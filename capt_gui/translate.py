"""Text of the window outside of QObjects, which have a `tr` of their own."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from capt_engine.resources import resource

_FILES = "capt_*.qm"
_TRANSLATIONS = QLibraryInfo.LibraryPath.TranslationsPath


def tr(text: str) -> str:
    """Return `text` in the language of the window, unchanged where there is no translation."""
    return QCoreApplication.translate("capt", text)


def counted(n: int, one: str, many: str) -> str:
    """Return the translation of `one` if `n` is 1, else of `many`, with `n` in the place of "{}"."""
    return tr(one if n == 1 else many).format(n)


def languages() -> tuple[tuple[str, str], ...]:
    """Return (code, name in itself) of every language that is installed, English first."""
    codes = sorted(path.stem.removeprefix("capt_") for path in resource("i18n").glob(_FILES))
    return (("en", "English"), *((code, QLocale(code).nativeLanguageName() or code) for code in codes if code != "en"))


def install_language(app: QCoreApplication, choice: str) -> bool:
    """Let `app` speak the language of the code `choice`, "system" for that of the system; return True if it is not English.

    A language that is not installed leaves English.
    """
    locale = QLocale.system() if choice == "system" else QLocale(choice)
    found = False
    for folder, name in ((str(resource("i18n")), "capt"), (QLibraryInfo.path(_TRANSLATIONS), "qtbase")):
        translator = QTranslator(app)
        if translator.load(locale, name, "_", folder):
            app.installTranslator(translator)
            found = found or name == "capt"
        elif not found:
            break
    return found
