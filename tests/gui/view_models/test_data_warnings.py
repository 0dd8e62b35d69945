"""What is said about the pictures, and what can be done about it."""

from __future__ import annotations

from acted_data import found

from capt_engine.records import Duplicates, FailedPicture, LongName, Member, ScanResult, TinyPicture
from capt_gui.view_models.data_warnings import Notice, Picked, notices
from capt_gui.view_models.tune.state import TuneState


def said(result: ScanResult, state: TuneState | None = None) -> dict[str, Notice]:
    """Notices by their sentence."""
    counts = {own.name: own.usable for own in result.classes}
    return {own.message: own for own in notices(result, state or TuneState(), counts.__getitem__)}


def group(*members: tuple[str, str, str]) -> Duplicates:
    """Duplicates of (path, class, split)."""
    return Duplicates(tuple(Member(*member) for member in members))


def test_good_pictures_are_passed_in_silence() -> None:
    """Nothing is said where nothing is wrong."""
    assert said(found({"cat": 8, "dog": 9})) == {}


def test_one_class_blocks() -> None:
    """Tuning tells classes apart; classes that were left out can be taken back."""
    only = said(found({"cat": 8}))["There is only one class."]
    assert (only.kind, only.action) == ("block", "")
    state = TuneState(excluded_classes=("dog",))
    back = said(found({"cat": 8, "dog": 8}), state)["There is only one class."]
    assert back.include == Picked(classes=("dog",))


def test_a_poor_class_blocks_and_can_be_left_out() -> None:
    """Fewer than two usable pictures: the sentence names them, the button leaves all of them out."""
    one = said(found({"cat": 8, "dog": 8, "emu": 1}))["“emu” has 1 usable picture."]
    assert (one.kind, one.exclude) == ("block", Picked(classes=("emu",)))
    many = said(found({"a": 8, "b": 8} | {f"poor {n}": 0 for n in range(5)}))
    notice = many["5 classes have fewer than two usable pictures: “poor 0”, “poor 1”, “poor 2” and 2 more."]
    assert len(notice.exclude.classes) == 5
    state = TuneState(excluded_classes=("emu",))
    assert not said(found({"cat": 8, "dog": 8, "emu": 1}), state)


def test_two_labels_of_one_picture() -> None:
    """Both go, as nobody knows which is right; once one is out, nothing is said."""
    result = found({"cat": 8, "dog": 8}, same=(group(("/c/1", "cat", "train"), ("/d/1", "dog", "train")),))
    notice = said(result)["One picture is in several classes: “cat”, “dog”."]
    assert (notice.kind, notice.exclude.pictures) == ("warning", ("/c/1", "/d/1"))
    assert not said(result, TuneState(excluded=("/c/1",)))
    assert not [own for own in said(result, TuneState(excluded_classes=("dog",))).values() if own.kind == "warning"]


def test_a_picture_in_two_parts_stays_in_the_test() -> None:
    """What would be learned from goes, what is tested on stays."""
    result = found({"cat": 8, "dog": 8}, same=(group(("/t/1", "cat", "train"), ("/e/1", "cat", "test")),))
    assert said(result)["One picture is in two parts."].exclude.pictures == ("/t/1",)


def test_copies_keep_one() -> None:
    """Of copies in one class the first stays."""
    result = found({"cat": 8, "dog": 8}, same=(group(*((f"/c/{n}", "cat", "train") for n in range(3))),))
    notice = said(result)["2 pictures are copies of others."]
    assert (notice.kind, notice.exclude.pictures) == ("info", ("/c/1", "/c/2"))


def test_imbalance_is_told_above_five_to_one() -> None:
    """Five to one is still passed in silence."""
    assert not said(found({"cat": 10, "dog": 2}))
    assert "“cat” has 11 pictures, “dog” only 2." in said(found({"cat": 11, "dog": 2}))


def test_tiny_pictures_are_offered_for_leaving_out_unless_all_are_tiny() -> None:
    """Leaving out what is most of the data would leave nothing."""
    few = found({"cat": 8, "dog": 8}, tiny=(TinyPicture("/c/1", 16, 20),))
    assert said(few)["One picture is tiny."].exclude.pictures == ("/c/1",)
    most = found({"cat": 8, "dog": 8}, tiny=tuple(TinyPicture(f"/c/{n}", 16, 16) for n in range(12)))
    assert not said(most)["12 pictures are tiny."].exclude


def test_unreadable_pictures_long_names_and_notes() -> None:
    """All of them are told, and none of them forbids going on."""
    result = found(
        {"cat": 8, "dog": 8},
        unreadable=(("dog", FailedPicture("/d/x", "Broken.")),),
        long_names=(LongName("cat", 90),),
        notes=("A link leads in a circle.",),
    )
    told = said(result)
    assert told["One picture cannot be read."].show == "dog"
    assert "The name “cat” takes 90 tokens." in told
    assert told["A link leads in a circle."].kind == "info"
    assert [own.kind for own in told.values()] == ["warning", "info", "info"]
