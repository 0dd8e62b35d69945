"""Which prompts stand on A and B, what is offered for them, and what of it reaches the request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Bench
from fakes import CATALOGUE, PHOTO_CLASSES, PROMPTS, READY, SHAPES, TWO_SIDES
from PySide6.QtCore import QCoreApplication

from capt_engine.records import (
    NO_PROMPTS,
    CatalogueChanged,
    DescribePromptsRequest,
    JobFinished,
    JobId,
    PromptsDescribed,
    PromptsInfo,
)
from capt_gui.settings import AUTO, OFF, Settings
from capt_gui.view_models.explore.choices import Choices
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.view_models.prompt_files import PromptFiles

PLAIN, CAPT, APT, MUGS = NO_PROMPTS, "toy-capt", "toy-apt", "my-mugs"


@pytest.fixture
def choices() -> Choices:
    """Choices with a catalogue that holds prompts."""
    made = Choices(ModelChoice(Settings(model="demo")))
    made.model.on_ready(TWO_SIDES.catalogue)
    return made


def sides(choices: Choices) -> tuple[str, str | None]:
    """What stands on A and on B."""
    return choices.model.sides.a, choices.model.sides.b


def test_plain_text_stands_beside_capt(choices: Choices) -> None:
    """Nobody has said anything: zero-shot is compared with the CAPT prompts of the chosen model."""
    assert sides(choices) == (PLAIN, CAPT)
    request = choices.request(())
    assert (request.options.prompts, request.options.compare, request.options.aim) == (None, CAPT, "each")


def test_without_capt_prompts_nothing_is_compared() -> None:
    """A catalogue without prompts, or only with those of other methods, leaves the window as it was."""
    bare = Choices(ModelChoice(Settings(model="demo")))
    bare.model.on_ready(CATALOGUE)
    assert sides(bare) == (PLAIN, None)
    bare.model.on_ready(replace(CATALOGUE, prompts=tuple(info for info in PROMPTS if info.method != "capt")))
    assert sides(bare) == (PLAIN, None)
    assert bare.request(()).options.aim == "each"


def test_prompts_of_another_model_are_offered_closed_and_last(choices: Choices) -> None:
    """What ships comes first, then the user's own, then what does not fit, with the model it was made for."""
    checkpoints = [(option.info.id, option.made_for) for option in choices.model.sides.checkpoints()]
    assert checkpoints == [(APT, ""), (CAPT, ""), (MUGS, ""), ("street-capt", "ViT-B/32")]


def test_prompts_for_a_few_classes_are_nobodys_partner_unasked(choices: Choices) -> None:
    """Prompts that were made for the old model give way; a photograph is not judged among the two classes of CAPT's for the new one."""
    choices.model.sides.set_a(MUGS)
    choices.model.sides.set_b(APT)
    choices.model.set_model("photos")
    assert sides(choices) == (PLAIN, None)
    assert choices.classes == PHOTO_CLASSES


def test_no_comparison_is_a_choice_that_stays(choices: Choices) -> None:
    """Who wants none is not given one at the next start."""
    choices.model.sides.set_b(None)
    assert (sides(choices), choices.settings.compare) == ((PLAIN, None), OFF)
    choices.model.on_ready(TWO_SIDES.catalogue)
    assert choices.request(()).options.compare is None


def test_the_partner_stays_when_a_changes(choices: Choices) -> None:
    """Choosing other prompts for A does not end the comparison."""
    choices.model.sides.set_a(APT)
    assert sides(choices) == (APT, CAPT)


def test_what_stands_on_the_other_side_changes_places(choices: Choices) -> None:
    """The same prompts never stand on both sides."""
    choices.model.sides.set_a(CAPT)
    assert sides(choices) == (CAPT, PLAIN)
    choices.model.sides.set_b(CAPT)
    assert sides(choices) == (PLAIN, CAPT)


def test_a_swap_keeps_the_attack_on_its_victim(choices: Choices) -> None:
    """A and B change places, and so does the letter the attack is aimed at."""
    heard: list[bool] = []
    choices.model.sides.set_aim("b")
    choices.changed.connect(lambda: heard.append(True))
    choices.model.sides.swap()
    assert (sides(choices), choices.model.sides.aim, heard) == ((CAPT, PLAIN), "a", [True])
    choices.model.sides.set_b(None)
    choices.model.sides.swap()
    assert sides(choices) == (CAPT, None)


def test_an_aim_matters_only_when_comparing(choices: Choices) -> None:
    """A request without B says "each"; nonsense in the settings does too."""
    choices.model.sides.set_aim("a")
    assert choices.request(()).options.aim == "a"
    choices.model.sides.set_b(None)
    assert choices.request(()).options.aim == "each"
    odd = Choices(ModelChoice(Settings(model="demo", aim="everyone")))
    odd.model.on_ready(TWO_SIDES.catalogue)
    assert odd.request(()).options.aim == "each"


def test_a_file_can_be_opened_on_either_side(choices: Choices, tmp_path: Path) -> None:
    """The file is its own id, is offered from then on, and survives the next catalogue as long as it exists."""
    mine, other = tmp_path / "mine.safetensors", tmp_path / "other.safetensors"
    for file in (mine, other):
        file.write_bytes(b"")
    choices.model.sides.open_file(str(mine), "b")
    choices.model.sides.open_file(str(other), "a")
    assert sides(choices) == (str(other), str(mine))
    assert choices.settings.prompt_files == [str(other), str(mine)]
    assert choices.model.sides.label(str(mine)) == "mine"
    choices.model.on_ready(TWO_SIDES.catalogue)
    assert choices.request(()).options.compare == str(mine)
    mine.unlink()
    choices.model.on_ready(TWO_SIDES.catalogue)
    assert sides(choices) == (str(other), None)
    assert choices.settings.compare == AUTO


def test_only_the_latest_files_are_kept(choices: Choices, tmp_path: Path) -> None:
    """The list of opened files does not grow without end; one that is opened again moves to the front."""
    for number in range(12):
        choices.model.sides.open_file(str(tmp_path / f"{number}.safetensors"), "b")
    choices.model.sides.open_file(str(tmp_path / "7.safetensors"), "b")
    assert [Path(file).stem for file in choices.settings.prompt_files] == ["7", "11", "10", "9", "8", "6", "5", "4"]


def test_prompts_suggest_the_classes_they_were_tuned_on(choices: Choices) -> None:
    """A's come before B's; the model's own can be asked for instead, and the suggestion restored."""
    assert choices.classes == SHAPES
    choices.model.sides.set_a(MUGS)
    assert (choices.classes, choices.template) == (("mug", "cup", "jug"), "my {}.")
    assert choices.request(()).options.classes == ("mug", "cup", "jug")
    choices.use_model_classes()
    assert (choices.request(()).options.classes, choices.has_own_classes) == (SHAPES, True)
    choices.restore_classes()
    assert (choices.classes, choices.has_own_classes) == (("mug", "cup", "jug"), False)


def test_prompts_bring_their_own_classes(choices: Choices) -> None:
    """Names typed for plain text do not judge with prompts that were tuned on others; each has its own, and none is lost."""
    choices.set_classes(("cat", "dog"), "a {}.")
    choices.model.sides.set_a(MUGS)
    assert choices.request(()).options.classes == ("mug", "cup", "jug")
    choices.set_classes(("mug", "vase"), "my {}.")
    choices.model.sides.set_a(NO_PROMPTS)
    assert choices.request(()).options.classes == ("cat", "dog")
    choices.model.sides.set_b(MUGS)
    assert choices.request(()).options.classes == ("mug", "vase")
    choices.restore_classes()
    assert choices.classes == ("mug", "cup", "jug")
    choices.model.set_model("photos")
    choices.model.sides.set_b("street-capt")
    assert choices.classes == ("car", "bus")
    choices.model.sides.set_b(None)
    assert (choices.classes, choices.request(()).options.classes) == (PHOTO_CLASSES, ())
    choices.model.set_model("demo")
    assert choices.request(()).options.classes == ("cat", "dog")


def test_made_with_knows_both_sides(choices: Choices) -> None:
    """Other prompts and another aim are other settings."""
    request = choices.request(("a",))
    choices.model.sides.set_aim("b")
    assert not choices.made_with(request)
    choices.model.sides.set_aim("each")
    assert choices.made_with(request)
    choices.model.sides.swap()
    assert not choices.made_with(request)


def test_a_changed_catalogue_is_taken(bench: Bench) -> None:
    """Prompts that were tuned meanwhile are offered, and stand beside plain text where nobody has said otherwise."""
    bench.engine.emit(READY)
    assert bench.desk.model.sides.b is None
    bench.engine.emit(CatalogueChanged(TWO_SIDES.catalogue))
    assert bench.desk.model.sides.b == CAPT
    assert bench.desk.engine.catalogue == TWO_SIDES.catalogue
    assert bench.desk.engine.device == READY.device


def test_a_file_brings_the_classes_it_was_tuned_on(bench: Bench, tmp_path: Path) -> None:
    """The engine looks into a file that is opened; its classes stand in the editor then, and are never replaced by the model's."""
    bench.engine.emit(TWO_SIDES)
    QCoreApplication.processEvents()
    choices, path = bench.desk.choices, str(tmp_path / "mine.safetensors")
    Path(path).write_bytes(b"")
    choices.model.sides.open_file(path, "a")
    assert bench.engine.requests[-1] == DescribePromptsRequest(path)
    assert choices.request(()).options.classes == ()
    info = PromptsInfo(path, "mine", "Mine.", classes=("ox", "yak"), template="my {}.")
    bench.engine.emit(JobFinished(JobId(len(bench.engine.requests)), PromptsDescribed(info)))
    QCoreApplication.processEvents()
    assert (choices.classes, choices.template) == (("ox", "yak"), "my {}.")
    assert choices.request(()).options.classes == ()
    assert choices.model.among(("ox", "yak")) == "among the 2 class names of mine"
    choices.set_classes(("ox", "cow"), "my {}.")
    assert choices.request(()).options.classes == ("ox", "cow")
    again = PromptFiles(bench.desk.bridge, choices.model, bench.desk.bridge)
    again.on_offered()
    assert bench.engine.requests[-1] == DescribePromptsRequest(path)
