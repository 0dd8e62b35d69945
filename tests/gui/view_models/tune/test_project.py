"""A project of the wizard: nothing that was decided is lost, and nothing good is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from capt_engine.errors import CannotWrite
from capt_gui.view_models.tune import project_file
from capt_gui.view_models.tune.project import DELAY_MS, KEEP, START_OVER, TuneProject
from capt_gui.view_models.tune.state import DATA, IDLE, METHOD, RUNNING, SPLIT, TUNE, TuneState

STATE = TuneState(
    data=("/p/mugs",), step=METHOD, reached=TUNE, excluded=("/p/mugs/a/1.png",), excluded_classes=("b",), shots=None,
    val_share=0.2, seed=7, settings=(("eps", 0.01), ("attack_steps", 3)), test_eps=0.02, run=RUNNING, epoch=3, epochs=10,
    name="Größe 🐈", notes="two\nlines",
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def project(tmp_path: Path) -> TuneProject:
    """An empty project in a home of its own."""
    return TuneProject(tmp_path)


def test_a_state_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Every field survives the file."""
    project_file.save(STATE, tmp_path)
    kept = project_file.load(tmp_path)
    assert kept is not None
    assert kept.state == STATE
    assert kept.written


@pytest.mark.parametrize(
    "field", ['"shots": "many"', '"val_share": 1.5', '"step": 9', '"run": "odd"', '"data": [1]', '"settings": [[1, 2]]']
)
def test_a_field_of_the_wrong_shape_falls_back_to_its_default(tmp_path: Path, field: str) -> None:
    """One bad value costs that value, not the project."""
    file = tmp_path / project_file.FILE_NAME
    file.write_text(
        f'{{"format": "capt-tuning-project", "version": 1, "state": {{"seed": 4, {field}}}}}', encoding="utf-8"
    )
    kept = project_file.load(tmp_path)
    assert kept is not None
    assert kept.state == TuneState(seed=4)


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '{"format": "another"}'])
def test_a_damaged_file_is_set_aside_for_the_copy(tmp_path: Path, rubbish: str) -> None:
    """What can no longer be read is kept under another name, and the state of the last good start is used."""
    project_file.save(STATE, tmp_path)
    project_file.keep_copy(tmp_path)
    (tmp_path / project_file.FILE_NAME).write_text(rubbish, encoding="utf-8")
    kept = project_file.load(tmp_path)
    assert kept is not None
    assert kept.state == STATE
    assert (tmp_path / "project.bad-1.json").read_text(encoding="utf-8") == rubbish
    # a damaged file is no reason to forget the copy
    (tmp_path / project_file.FILE_NAME).write_text(rubbish, encoding="utf-8")
    project_file.keep_copy(tmp_path)
    assert project_file.load(tmp_path) == kept


def test_a_broken_project_is_said_and_the_others_are_listed(tmp_path: Path) -> None:
    """Nesting without end, numbers that no control holds and half a character: the start goes on, with one sentence."""
    texts = ('{"format": ' + "[" * 100_000, "\udcff", '{"format": "capt-tuning-project", "state": {"seed": NaN}}')
    for i, text in enumerate(texts):
        folder = tmp_path / f"20261130-10101{i}-abcd"
        folder.mkdir()
        (folder / project_file.FILE_NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    project_file.save(STATE, tmp_path / "20261130-101019-abcd")
    project = TuneProject(tmp_path)
    assert project.offered is not None
    assert project.offered.id == "20261130-101019-abcd"
    assert "could not be read. Its file was kept as project.bad-1.json" in project.notice
    assert len(list(tmp_path.glob("*/project.bad-1.json"))) == len(texts)


@pytest.mark.parametrize("value", ["99999999999999999999", "-1", "1e400"])
def test_numbers_that_no_control_holds_fall_back(tmp_path: Path, value: str) -> None:
    """Qt's controls hold 32 bits; more would end the wizard at every start."""
    file = tmp_path / project_file.FILE_NAME
    state = f'{{"seed": {value}, "test_steps": 3, "settings": [["epochs", 1]]}}'
    file.write_text(f'{{"format": "capt-tuning-project", "version": 1, "state": {state}}}', encoding="utf-8")
    kept = project_file.load(tmp_path)
    assert kept is None or kept.state == TuneState(test_steps=3, settings=(("epochs", 1),))


def test_a_folder_whose_name_is_no_text_is_written(tmp_path: Path) -> None:
    """A file system may hold any bytes as a name; the project is saved and comes back."""
    state = TuneState(data=("/photos\udcff",))
    project_file.save(state, tmp_path)
    kept = project_file.load(tmp_path)
    assert kept is not None
    assert kept.state == state


def test_a_change_reaches_the_disk_soon_and_a_step_at_once(project: TuneProject, qtbot: QtBot) -> None:
    """Sliders do not write at each move; a step that was left is on disk before the next one shows."""
    project.take(("/p/mugs",))
    project.change(seed=3)
    kept = project_file.load(project.folder)
    assert kept is not None
    assert kept.state.seed == 0
    qtbot.waitUntil(lambda: _seed(project) == 3, timeout=DELAY_MS + 5000)
    project.change(seed=4)
    project.go(SPLIT)
    assert _seed(project) == 4


def test_an_empty_project_leaves_nothing_behind(project: TuneProject, tmp_path: Path) -> None:
    """Looking at the wizard makes no folder; an empty state never replaces a project."""
    project.change(seed=3)
    project.save_now()
    assert not list(tmp_path.iterdir())
    assert project.projects() == ()
    assert project.offered is None


def test_the_last_project_is_offered_and_not_forced(project: TuneProject, tmp_path: Path) -> None:
    """A new start begins empty, and offers what was there; starting anew keeps it."""
    project.take(("/p/mugs",))
    project.go(SPLIT)
    again = TuneProject(tmp_path)
    assert again.state == TuneState()
    offered = again.offered
    assert offered is not None
    assert (offered.state.title, offered.state.is_underway) == ("mugs", False)
    again.change(model="another")
    assert again.offered == offered
    again.dismiss_offer()
    assert again.offered is None
    assert [kept.id for kept in again.projects()] == [project.id]
    assert again.open(offered.id)
    assert again.state.step == SPLIT


def test_a_project_found_running_was_interrupted(project: TuneProject, tmp_path: Path, qtbot: QtBot) -> None:
    """It says so until somebody has said what to do, and then tells whoever tunes."""
    project.take(("/p/mugs",))
    project.change(run=RUNNING, epoch=3, epochs=10)
    assert project.is_busy
    assert not project.is_interrupted
    project.close()
    again = TuneProject(tmp_path)
    assert again.offered is not None
    assert again.offered.state.is_underway
    again.open(again.offered.id)
    assert again.is_interrupted
    assert not again.is_busy
    with qtbot.waitSignal(again.answered) as told:
        again.answer(KEEP)
    assert told.args == [KEEP]
    assert again.state.step == TUNE
    assert not again.is_interrupted


def test_starting_over_forgets_the_run_and_keeps_the_rest(project: TuneProject, tmp_path: Path) -> None:
    """The settings stay, the epochs go."""
    project.take(("/p/mugs",))
    project.change(run=RUNNING, epoch=3, seed=5)
    project.close()
    again = TuneProject(tmp_path)
    again.open(project.id)
    again.answer(START_OVER)
    assert (again.state.run, again.state.epoch, again.state.seed) == (IDLE, 0, 5)


def test_other_pictures_after_tuning_begin_another_project(project: TuneProject) -> None:
    """What was tuned keeps its project; before that the same one takes other pictures, and forgets what was left out."""
    project.take(("/p/mugs",))
    first = project.id
    project.change(excluded=("/p/mugs/a/1.png",))
    project.take(("/p/cups",))
    assert (project.id, project.state.excluded) == (first, ())
    project.change(run="done")
    project.take(("/p/cats",))
    assert project.id != first
    assert {kept.state.title for kept in project.projects()} == {"cups", "cats"}


def test_removing_touches_only_its_own_folder(project: TuneProject, tmp_path: Path) -> None:
    """A project goes to the trash with its folder; a folder that is none of ours, and pictures, stay."""
    pictures = tmp_path / "20260101-000000-abcd"
    pictures.mkdir()
    (pictures / "mine.png").write_bytes(b"x")
    project.take(("/p/mugs",))
    gone = project.id
    project.remove(pictures.name)
    project.remove("../" + tmp_path.name)
    project.remove(gone)
    assert {path.name for path in tmp_path.iterdir()} == {pictures.name, ".trash"}
    assert project.state == TuneState()
    project.save_now()
    assert not (tmp_path / gone).exists()


def test_a_removed_project_can_be_put_back(project: TuneProject, tmp_path: Path) -> None:
    """All of its folder comes back, what was tuned in it too, and it can be opened again."""
    project.take(("/p/mugs",))
    gone = project.id
    (project.folder / "prompts.safetensors").write_bytes(b"tuned")
    project.remove(gone)
    assert [kept.id for kept in project.removed()] == [gone]
    assert not project.projects()
    project.put_back(gone)
    assert not project.removed()
    assert (tmp_path / gone / "prompts.safetensors").read_bytes() == b"tuned"
    project.open(gone)
    assert project.state.title == "mugs"


def test_removed_projects_leave_the_trash_by_age(project: TuneProject, tmp_path: Path) -> None:
    """A month later the next start empties it, and says so."""
    project.take(("/p/mugs",))
    project.remove(project.id)
    (place,) = (tmp_path / ".trash").iterdir()
    place.rename(place.with_name(f"20200101T000000.000000Z_{place.name.split('_', 1)[1]}"))
    later = TuneProject(tmp_path)
    assert not later.removed()
    assert "1 project" in later.notice


def test_a_running_project_is_not_removed(project: TuneProject) -> None:
    """Tuning writes there."""
    project.take(("/p/mugs",))
    project.change(run=RUNNING)
    project.remove(project.id)
    assert project.folder.is_dir()


def test_a_full_disk_is_told_once(project: TuneProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wizard goes on, and does not repeat itself."""
    told: list[object] = []
    project.failed.connect(told.append)

    def refuse(*_: object) -> None:
        raise CannotWrite("There is no room left on the disk.")

    monkeypatch.setattr(project_file, "save", refuse)
    project.take(("/p/mugs",))
    project.go(SPLIT)
    assert len(told) == 1
    assert project.state.step == SPLIT


def test_without_a_home_nothing_is_left_behind() -> None:
    """Safe mode: the project works while the window is open, and goes with it."""
    project = TuneProject(None)
    project.take(("/p/mugs",))
    folder = project.folder
    assert folder.is_dir()
    project.close()
    assert not folder.exists()


def test_titles_come_from_the_pictures_until_there_is_a_name() -> None:
    """One folder gives its name, several that of the folder they lie in."""
    assert TuneState(data=("/p/mugs",)).title == "mugs"
    assert TuneState(data=("/p/toys/cat", "/p/toys/dog")).title == "toys"
    assert TuneState(data=("/p/mugs",), name="Mugs").title == "Mugs"
    assert TuneState().step == DATA


def _seed(project: TuneProject) -> int:
    kept = project_file.load(project.folder)
    assert kept is not None
    return kept.state.seed
