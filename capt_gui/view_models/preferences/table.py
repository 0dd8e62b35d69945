"""The settings that a user can look up and change, each described once: the Preferences dialog is drawn from this table."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

from capt_gui.settings import UI_SCALES, Settings
from capt_gui.translate import languages, tr

CHOICE, NUMBER, SWITCH, FOLDER = "choice", "number", "switch", "folder"


@dataclass(frozen=True)
class Preference:
    """One setting. name: its field in `Settings`. kind: CHOICE, NUMBER, SWITCH or FOLDER.

    choices: (value, label) pairs of a CHOICE. low, high, step, decimals, unit, zero: of a NUMBER; `zero` is shown in
    place of 0. usual: the folder that an empty FOLDER stands for. at_start: it is read when the program starts, so that a
    change holds from the next start on. words: more words that a search finds it by.
    """

    name: str
    section: str
    label: str
    help: str
    kind: str
    choices: tuple[tuple[str | int, str], ...] = ()
    low: float = 0
    high: float = 100
    step: float = 1
    decimals: int = 0
    unit: str = ""
    zero: str = ""
    usual: str = ""
    at_start: bool = False
    words: str = ""

    @property
    def default(self) -> object:
        """The value of a first start."""
        return _DEFAULTS[self.name]

    def fits(self, words: str) -> bool:
        """Return True if every word of `words` stands in label, help, section or further words; case does not matter."""
        choices = " ".join(label for _, label in self.choices)
        written = " ".join((self.label, self.help, self.section, choices, self.unit, self.words)).casefold()
        return all(word in written for word in words.casefold().split())


_PLAIN = Settings()
_DEFAULTS = {one.name: getattr(_PLAIN, one.name) for one in fields(Settings)}


def preferences(usual_folders: dict[str, str]) -> tuple[Preference, ...]:
    """Return every setting of the Preferences dialog in order, in the language of the window; those of a section stand together.

    usual_folders: by the name of a setting that is a folder, the folder that is used where nobody chose one.
    """
    looks, work, folders, runs, net = (
        tr("Appearance"),
        tr("Computing"),
        tr("Folders"),
        tr("Kept runs"),
        tr("Network"),
    )
    return (
        Preference(
            "theme", looks, tr("Theme"), tr("Light, dark, or as the system has it."), CHOICE,
            (("system", tr("As the system")), ("light", tr("Light")), ("dark", tr("Dark"))), words=tr("colours look"),
        ),
        Preference(
            "view", looks, tr("View of Explore"),
            tr("Simple: one picture, one button, one sentence. Full: comparison, classes, every setting."), CHOICE,
            (("simple", tr("Simple")), ("full", tr("Full"))),
        ),
        Preference(
            "ui_scale", looks, tr("Size of everything"), tr("Letters, symbols and distances, of what the screen asks for."),
            CHOICE, tuple((scale, tr("{} %").format(scale)) for scale in UI_SCALES), at_start=True,
            words=tr("scale zoom font"),
        ),
        Preference(
            "language", looks, tr("Language"),
            tr("As the system has it, or another. The guide, the glossary and reports are English."), CHOICE,
            (("system", tr("As the system")), *languages()), at_start=True,
        ),
        Preference(
            "device", work, tr("Device"), tr("The part of this computer that models and attacks run on."), CHOICE,
            (
                ("auto", tr("The fastest there is")), ("cpu", tr("Processor (CPU)")),
                ("cuda", tr("NVIDIA graphics card (CUDA)")), ("mps", tr("Apple graphics (MPS)")),
            ), at_start=True, words="GPU",
        ),
        Preference(
            "threads", work, tr("Threads"),
            tr("How many cores of the processor the work may take. Fewer leave more for other programs."), NUMBER,
            high=os.cpu_count() or 1, zero=tr("All cores"), at_start=True,
        ),
        Preference(
            "models_folder", folders, tr("Models"),
            tr("Downloaded and imported models. Those in the folder of before stay there, and are not moved."), FOLDER,
            usual=usual_folders["models_folder"], at_start=True,
        ),
        Preference(
            "runs_folder", folders, tr("Kept runs"),
            tr("Analyses and evaluations, for reports. Those in the folder of before stay there, and are not moved."),
            FOLDER, usual=usual_folders["runs_folder"], at_start=True,
        ),
        Preference(
            "data_folder", folders, tr("Tuning projects"),
            tr("What the Tune page remembers of its projects. Pictures stay where they are."), FOLDER,
            usual=usual_folders["data_folder"], at_start=True, words=tr("data"),
        ),
        Preference(
            "keep_runs", runs, tr("Keep runs for reports"), tr("Without it, nothing can be reported or resumed."), SWITCH,
        ),
        Preference(
            "keep_pictures", runs, tr("Attacked pictures of a run"),
            tr("Files of the pictures that fooled the model. The few that a report shows are kept in any case."), CHOICE,
            (("none", tr("None of them")), ("some", tr("Up to 1,000, drawn by the seed")), ("all", tr("All of them"))),
            words=tr("PNG disk"),
        ),
        Preference(
            "runs_budget_gb", runs, tr("Ask above"),
            tr("Where kept runs take more, the Report page asks what to do. Nothing is deleted for it."), NUMBER,
            high=100_000, decimals=1, unit=tr("GB"), zero=tr("Never"), words=tr("budget disk"),
        ),
        Preference(
            "trash_days", runs, tr("Trash keeps runs for"),
            tr("Deleted runs can be put back for so long; the oldest then go for good."), NUMBER, low=1, high=3650,
            unit=tr("days"),
        ),
        Preference(
            "trash_budget_gb", runs, tr("Trash holds at most"),
            tr("Above it, the oldest deleted runs go for good."), NUMBER, low=0.1, high=100_000, decimals=1,
            unit=tr("GB"), words=tr("budget disk"),
        ),
        Preference(
            "store_budget_gb", runs, tr("Stored results take at most"),
            tr("Above it, what nothing asked for longest goes; it is computed again when asked for."), NUMBER, low=0.1,
            high=100_000, decimals=1, unit=tr("GB"), words=tr("budget disk"),
        ),
        Preference(
            "offline", net, tr("Work offline"),
            tr("No download is begun and no address is opened, even where you ask for it."), SWITCH,
            words=tr("privacy internet"),
        ),
    )  # fmt: skip
