"""The whole words that a model knows: what is known, what is said of other words, and where nothing is claimed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from capt_engine.data.class_lists import EVERYDAY, IMAGENET, names_of
from capt_engine.demo import captions as demo
from capt_engine.demo.world import TASKS
from capt_engine.errors import BadCheckpoint
from capt_engine.model import vocabulary
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.vocabulary import Vocabulary, of_folder, of_model, words
from capt_engine.photo import captions as photo
from capt_engine.records import UnknownWord, unknown_sentences
from capt_engine.resources import resource


def known_to(model: str) -> Vocabulary:
    """The vocabulary of a model that has one."""
    found = of_model(model)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def of_photo() -> Vocabulary:
    """The words of the bundled photograph model."""
    return known_to(f"local-dir:{resource('photo')}")


def test_the_files_list_what_the_builds_train_on(of_photo: Vocabulary) -> None:
    """The bundled lists of words are those that the code of each build makes its captions of."""
    for folder, built in (("photo", photo.vocabulary()), ("demo", demo.vocabulary())):
        assert (resource(folder) / vocabulary.FILE).read_text(encoding="utf-8") == vocabulary.listed(built)
    assert (len(of_photo.words), len(known_to("demo").words)) == (4159, 78)


def test_the_toy_words_are_those_of_its_captions() -> None:
    """Thousands of drawn captions hold every word of the list and no other."""
    rng = np.random.default_rng(0)
    canonical = [name for some in demo.SIMPLE.values() for name in some]
    drawn = {
        word
        for family, names in (*demo.SIMPLE.items(), ("shape-material", ("metal cube", "wood arch")))
        for name in names
        for _ in range(400)
        for word in words(demo.class_caption(family, name, rng))
    }
    assert drawn == set(demo.vocabulary())
    assert not [word for name in canonical for word in words(name) if word not in known_to("demo")]


def test_whole_words_are_known_and_pieces_of_them_are_not(of_photo: Vocabulary) -> None:
    """A plural, a name of several words and any case are known; a compound or plural of known pieces is not."""
    for text in (
        "dog",
        "Dogs",
        "golden_retriever",
        "PERSIAN cat",
        "jack-o’-lantern",
        "jack-o'-lantern",
        "crane (n02012849)",
    ):
        assert of_photo.unknown_words(text if "(" not in text else vocabulary.spoken(text)) == (), text
    assert of_photo.unknown_words("oxen") == ("oxen",)
    assert of_photo.unknown_words("handbrake") == ("handbrake",)
    assert of_photo.unknown_words("golden capybara and Capybara") == ("capybara",)
    assert of_photo.unknown_words("???") == ("???",)
    assert of_photo.unknown_words("") == ()
    assert of_photo.unknown_words("a snapshot of a {}.") == ("snapshot",)
    assert of_photo.unknown_words("a photo of a {}. {{}}") == of_photo.unknown_words("{}") == ()
    assert "dog" in of_photo
    assert "Dog" not in of_photo


@pytest.mark.parametrize("names", [IMAGENET, EVERYDAY])
def test_the_photograph_model_knows_its_own_lists(of_photo: Vocabulary, names: str) -> None:
    """Every name of the lists that ship is made of words that were trained."""
    assert of_photo.unknown(names_of(names), "a photo of a {}.") == ()


def test_the_toy_model_knows_its_own_tasks() -> None:
    """Classes and templates of every task are known to the demo, and to its robust kin by its base."""
    for task in TASKS:
        assert known_to("demo").unknown(task.classes, task.template) == ()
    assert known_to("demo-robust") == known_to("demo")
    assert known_to("demo").unknown_words("two spheres") == ("two", "spheres")


def test_the_nearest_known_words_are_offered(of_photo: Vocabulary) -> None:
    """A slip of the pen leads to the word, hyphens to the parts; a plural beside its singular is left out, far words are too."""
    assert of_photo.nearest("retreiver")[0] == "retriever"
    assert of_photo.nearest("golden-retriever") == ("golden retriever", "retriever")
    assert "oxes" in of_photo.nearest("oxen")
    assert known_to("demo").nearest("spheres")[0] == "sphere"
    assert known_to("demo").nearest("capybara") == ()


def test_unknown_words_are_said_in_a_sentence_each(of_photo: Vocabulary) -> None:
    """A name of one word, a word in a name, in several names, in the template, and one that prompts were tuned on."""
    template, alone, inside, several = of_photo.unknown(
        ("Capybara", "old_handbrake", "deer park", "red deer", "dog"), "a snapshot of a {}."
    )
    assert alone.sentence == "'capybara' is not among the 4,159 words this model knows; its probability means nothing."
    assert inside.sentence.startswith("'handbrake' in 'old handbrake' is not among")
    assert inside.sentence.endswith("the probability of 'old handbrake' means nothing.")
    assert several.sentence.startswith("'deer' in 2 class names is not among")
    assert template.sentence.startswith("'snapshot' in the template is not among the 4,159 words")
    (tuned,) = of_photo.unknown(("deer", "dog"), "{}", tuned=("dog", "deer"))
    assert tuned.sentence.endswith("only the pictures that it is tuned on say what it means.")
    assert unknown_sentences((replace(alone, nearest=("capra", "carbonara")),)) == (
        f"{alone.sentence} Nearest in spelling: capra, carbonara.",
    )


def test_a_long_list_is_counted() -> None:
    """Of a thousand names unknown to the toy model three are said with the nearest words, and the others counted."""
    found = known_to("demo").unknown(names_of(IMAGENET))
    said = unknown_sentences(found)
    assert len(said) == 4
    assert said[-1].startswith(f"It does not know {len(found) - 3:,} more words either: ")
    assert [one.nearest for one in found[10:]] == [()] * (len(found) - 10)


def test_of_other_models_nothing_is_claimed(tiny_folder: Path, tmp_path: Path) -> None:
    """A folder without a list, one that is not there, a weights file and an architecture: their words are not known to us."""
    for model in (str(tiny_folder), f"local-dir:{tmp_path / 'none'}", "ViT-B-32:openai@x.safetensors", "ViT-B-32", ""):
        assert of_model(model) is None


def test_a_classifier_says_what_it_does_not_know(tiny_backbone: Backbone) -> None:
    """The words of class names and template; of prompts that were tuned on a class it is said; without a list there is nothing."""
    names = ("cube", "sphere")
    assert Classifier(tiny_backbone, names, "a {}.").unknown_words == ()
    clip = replace(tiny_backbone, vocabulary=Vocabulary(("a", "cube", "photo")))
    found = Classifier(clip, names, "a print of a {}.").unknown_words
    assert found == (UnknownWord("print", 3), UnknownWord("of", 3), UnknownWord("sphere", 3, ("sphere",)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe", "not UTF-8"), (b"\n \n", "holds no word"), (b"a" * (8 << 20 | 1), "longer than")],
)
def test_a_damaged_list_is_a_sentence(tmp_path: Path, content: bytes, reason: str) -> None:
    """Bytes that are no text, no word at all, or far too many."""
    (tmp_path / vocabulary.FILE).write_bytes(content)
    with pytest.raises(BadCheckpoint, match=reason):
        of_folder(tmp_path)


def test_a_loaded_model_brings_its_words(tiny_folder: Path, tmp_path: Path) -> None:
    """A list beside the weights is read with them, once more after it has changed; a tuned tower has the words of its base."""
    shutil.copytree(tiny_folder, tmp_path / "model")
    listed = tmp_path / "model" / vocabulary.FILE
    listed.write_text("cat\n", encoding="utf-8")
    loaded = load_backbone(str(tmp_path / "model"), torch.device("cpu"))
    assert loaded.vocabulary == Vocabulary(("cat",))
    listed.write_text("Dog\ncat\n\n", encoding="utf-8")
    assert of_model(str(tmp_path / "model")) == Vocabulary(("cat", "dog"))
    (tmp_path / "tower").mkdir()
    tower = {"format": 1, "base": str(tmp_path / "model"), "base_sha256": "0" * 64}
    (tmp_path / "tower" / "tower.json").write_text(json.dumps(tower), encoding="utf-8")
    assert of_model(str(tmp_path / "tower")) == Vocabulary(("cat", "dog"))
