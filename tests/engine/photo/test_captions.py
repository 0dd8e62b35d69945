"""The words that the photograph model is trained on."""

from __future__ import annotations

from capt_engine.model.vocabulary import words
from capt_engine.photo.captions import TEMPLATES, names, plural, targets, vocabulary


def test_each_name_belongs_to_one_target_and_labels_to_their_class() -> None:
    """A class's own label wins over everything else; a name that several classes share is nobody's."""
    owner = {name: target for target, some in enumerate(names()) for name in some}
    assert len(owner) == sum(len(some) for some in names())
    for name, target in {
        "tench": 0,
        "cardigan": 474,
        "horse": 339,
        "crane bird": 134,
        "construction crane": 517,
    }.items():
        assert owner[name] == target
    assert "crane" not in owner
    covered = {"dog": 118, "car": 10, "airplane": 3, "dogs": 118, "bird": 59}
    assert {name: len(targets()[owner[name]].classes) for name in covered} == covered
    assert all(names()[index] for index in range(1000))


def test_plurals_are_regular() -> None:
    """Sibilants take es, a consonant and y take ies."""
    assert [plural(one) for one in ("dog", "box", "church", "puppy", "donkey", "bus")] == [
        "dogs",
        "boxes",
        "churches",
        "puppies",
        "donkeys",
        "buses",
    ]


def test_the_vocabulary_holds_every_word_of_the_sentences_and_no_others() -> None:
    """Names, plurals and templates are known as whole words; a word made of known pieces is not."""
    known = set(vocabulary())
    assert {"dog", "dogs", "photo", "airliner", "vehicle", "blurry"} <= known
    assert not {"capybara", "oxen", "handbrake", "deer"} & known
    assert list(vocabulary()) == sorted(known)
    assert all(template.count("{}") == 1 for template in TEMPLATES)


def test_words_keep_hyphens_and_apostrophes() -> None:
    """A sentence is split as people read it."""
    assert words("A photo of a jack-o'-lantern, tench!") == ("a", "photo", "of", "a", "jack-o'-lantern", "tench")
