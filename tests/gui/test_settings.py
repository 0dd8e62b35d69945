"""Settings come back as they were, and a damaged file costs nobody the start."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from capt_engine.errors import CannotWrite
from capt_gui import settings as settings_file
from capt_gui.settings import AttackSettings, EvaluateSettings, Settings, UpgradeError, load, save, upgrade


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the settings of a test live; the folder is not there yet."""
    return tmp_path / "config" / "settings.toml"


def test_defaults_without_a_file(path: Path) -> None:
    """A first start has the defaults and says nothing."""
    assert load(path) == (Settings(), "")


def test_round_trip(path: Path) -> None:
    """Every kind of value comes back as it was."""
    mine = Settings(
        model="local-dir:models/mine ü",
        theme="dark",
        auto_run=False,
        compare="toy-capt",
        aim="b",
        prompt_files=["mine ü.safetensors"],
        keep_runs=False,
        report_format="html",
        report_redact=True,
        report_left_out=["glossary"],
        report_columns=[200, 700, 300],
        columns=[200, 700, 300],
        eps={"linf": 8 / 255, "l2": 0.5},
        classes={"demo": ["a", "b c", '"d"']},
        template={"demo": "a drawing of a {}."},
        explore=AttackSettings(
            expert={"pgd": {"restarts": 3, "random_start": False, "step_size": 1 / 255, "loss": "margin"}}
        ),
        evaluate=EvaluateSettings("standard", "l2", curve=True, checks="full", limit=50, recent=["/data/toys"]),
    )
    save(mine, path)
    assert load(path) == (mine, "")


def test_the_model_is_a_plain_string_at_the_top(path: Path) -> None:
    """The command line finds the last model under the key `model`."""
    save(Settings(model="other"), path)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["model"] == "other"


def test_a_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails in the middle costs neither the old settings nor leaves litter."""
    save(Settings(theme="dark"), path)

    def fail(_handle: int) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CannotWrite, match="no space"):
        save(Settings(theme="light"), path)
    assert load(path)[0].theme == "dark"
    assert [file.name for file in path.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize("content", [b"theme = ", b"\xff\xfe\x00", b'version = "new"'])
def test_a_damaged_file_is_set_aside(path: Path, content: bytes) -> None:
    """Nonsense is kept under another name, the defaults are used, and a sentence says so."""
    path.parent.mkdir()
    for number in (1, 2):
        path.write_bytes(content)
        settings, sentence = load(path)
        assert settings == Settings()
        assert f"settings.bad-{number}.toml" in sentence
        assert (path.parent / f"settings.bad-{number}.toml").read_bytes() == content
        assert not path.exists()


def test_unknown_and_misshapen_values_fall_back(path: Path) -> None:
    """Keys of nobody and values of the wrong type do no harm to the good ones beside them."""
    path.parent.mkdir()
    path.write_text(
        'theme = "dark"\nseed = "many"\nauto_run = 1\nfuture = 3\ncolumns = ["wide"]\n'
        'eps = {linf = "x"}\nclasses = {demo = ["a", 1]}\n'
        'explore = 4\nevaluate = {limit = "all", recent = [1], expert = {pgd = 3}}\n',
        encoding="utf-8",
    )
    content = path.read_bytes()
    settings, sentence = load(path)
    assert settings == Settings(theme="dark")
    assert "(seed, auto_run, columns and " in sentence
    assert (path.parent / "settings.bad-1.toml").read_bytes() == content


@pytest.mark.parametrize(
    "line",
    [
        "seed = 99999999999999999999",
        "seed = -1",
        "columns = [2147483648]",
        "eps = {linf = nan}",
        "eps = {linf = 1e300}",
        "evaluate = {limit = 3000000000}",
        "explore = {expert = {pgd = {steps = 2147483648}}}",
        f"classes = {'[' * 5000}{']' * 5000}",
        f"tune_recent = {'[' * 70}{']' * 70}",
    ],
)
def test_what_no_control_can_hold_is_set_aside(path: Path, line: str) -> None:
    """Numbers beyond what Qt holds, and nesting without end, would keep the window from opening at every start."""
    path.parent.mkdir()
    path.write_text(f"version = 2\n{line}\n", encoding="utf-8")
    settings, sentence = load(path)
    assert settings == Settings()
    assert "settings.bad-1.toml" in sentence
    save(settings, path)
    assert load(path) == (Settings(), "")


def test_a_folder_whose_name_is_no_text_is_not_remembered(path: Path) -> None:
    """A file system may hold any bytes as a name; the settings file is UTF-8, and is written all the same."""
    save(Settings(theme="dark", last_folder="/photos\udcff", tune_recent=["/a\udcff", "/b"]), path)
    assert load(path) == (Settings(theme="dark", tune_recent=["/b"]), "")


def test_a_newer_file_is_taken_for_what_is_shared(path: Path) -> None:
    """Going back to an older release keeps what it knows."""
    path.parent.mkdir()
    path.write_text('version = 99\ntheme = "dark"\n', encoding="utf-8")
    assert load(path) == (Settings(theme="dark"), "")


def test_upgrades_run_in_order_on_a_copy() -> None:
    """Each step takes the values of its version to the next."""
    old = {"version": 1, "colour": "dark"}
    steps = {1: lambda v: {"theme": v.pop("colour")}, 2: lambda v: {"theme": v["theme"].title()}}
    assert upgrade(old, steps, 3) == {"version": 3, "theme": "Dark"}
    assert old == {"version": 1, "colour": "dark"}


def test_settings_of_version_1_are_read(path: Path) -> None:
    """What a release before this one wrote: the choices of each page find their place, the steps among those of the attack."""
    path.parent.mkdir()
    path.write_text(
        'version = 1\nmodel = "photos"\nattack = "apgd-ce"\nnorm = "l2"\nsteps = 50\nspace = "original size"\n'
        'evaluate_recent = ["/data/toys"]\nevaluate_test = "standard"\nevaluate_norm = "l2"\nevaluate_curve = true\n'
        'evaluate_checks = "full"\nevaluate_limit = 50\n[expert.pgd]\nrestarts = 2\n[evaluate_expert.pgd]\nsteps = 7\n',
        encoding="utf-8",
    )
    evaluate = EvaluateSettings(
        "standard", "l2", {"pgd": {"steps": 7}}, curve=True, checks="full", limit=50, recent=["/data/toys"]
    )
    explore = AttackSettings("apgd-ce", "l2", {"pgd": {"restarts": 2}, "apgd-ce": {"steps": 50}})
    assert load(path) == (Settings(model="photos", perturb="original", explore=explore, evaluate=evaluate), "")


@pytest.mark.parametrize("steps", ['"many"', "true", "0"])
def test_steps_of_version_1_that_are_none_are_left_out(path: Path, steps: str) -> None:
    """0 was no choice, and nonsense is none either."""
    path.parent.mkdir()
    path.write_text(f"version = 1\nsteps = {steps}\nexpert = {{}}\n", encoding="utf-8")
    assert load(path) == (Settings(), "")


def test_a_failing_upgrade_sets_the_file_aside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that fails, or is missing, is no reason to lose the file."""
    with pytest.raises(UpgradeError):
        upgrade({"version": 0}, {}, 1)
    monkeypatch.setattr(settings_file, "UPGRADES", {0: lambda v: {"theme": v["colour"]}})
    path.parent.mkdir()
    path.write_text("version = 0\n", encoding="utf-8")
    settings, sentence = load(path)
    assert (settings, "settings.bad-1.toml" in sentence) == (Settings(), True)


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A folder where the file should be gives the defaults and a sentence."""
    settings, sentence = load(tmp_path)
    assert settings == Settings()
    assert sentence.startswith("The settings could not be read")


@pytest.mark.skipif(os.name != "posix", reason="links are made the POSIX way")
def test_settings_that_are_kept_elsewhere_stay_there(path: Path, tmp_path: Path) -> None:
    """A link to a file under version control is written through, not replaced."""
    mine = tmp_path / "dotfiles.toml"
    mine.touch()
    path.parent.mkdir()
    path.symlink_to(mine)
    save(Settings(theme="dark"), path)
    assert path.is_symlink()
    assert load(mine)[0].theme == "dark"
