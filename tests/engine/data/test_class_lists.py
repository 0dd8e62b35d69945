"""The class lists that ship, and data sets judged among more classes than they have."""

from __future__ import annotations

import pytest

from capt_engine.data.class_lists import concepts, everyday, imagenet, judged_among, listing_of, names_of
from capt_engine.data.labelled_set import Item, LabelledSet
from capt_engine.errors import BadRequest
from capt_engine.runs.option_values import class_list


def test_imagenet_has_a_thousand_classes_in_their_order() -> None:
    """Indices are ImageNet's, and no two labels are the same to a tokenizer that reads no capital letters."""
    classes = imagenet()
    assert [one.index for one in classes] == list(range(1000))
    assert [one.synset for one in classes] == sorted(one.synset for one in classes)
    assert len({one.label.lower() for one in classes}) == 1000
    chosen = {
        0: "tench",
        1: "goldfish",
        134: "crane bird",
        264: "Cardigan Welsh corgi",
        474: "cardigan",
        999: "toilet tissue",
    }
    assert {index: classes[index].label for index in chosen} == chosen


def test_concepts_cover_classes_as_wordnet_says() -> None:
    """All 118 dogs are dogs, and an everyday word covers each class at most once."""
    dog = next(one for one in concepts() if one.names[0] == "dog")
    assert dog.classes == tuple(range(151, 269))
    assert all(2 <= len(one.classes) <= 400 for one in concepts())
    covered = [index for one in everyday() for index in one.classes]
    assert len(covered) == len(set(covered))
    assert 120 <= len(everyday()) <= 135


@pytest.mark.parametrize(("name", "n"), [("imagenet", 1000), ("everyday", 130)])
def test_a_list_is_asked_for_by_its_name(name: str, n: int) -> None:
    """`--classes imagenet` gives the names, and the names give the word back for the printed command."""
    names = class_list(name)
    assert (len(names), listing_of(names)) == (n, name)
    assert listing_of(names[1:]) == ""


def test_a_data_set_is_judged_among_more_names() -> None:
    """Its classes are found by label, by another name of WordNet, and in another case; the pictures keep their class."""
    data = LabelledSet("d", ("Cardigan", "cardigan", "TENCH", "ox"), tuple(Item(f"{i}.png", i) for i in range(4)))
    found = judged_among(data, names_of("imagenet"))
    assert [item.label for item in found.items] == [264, 474, 0, 345]
    assert len(found.classes) == 1000


def test_classes_that_a_list_lacks_are_named() -> None:
    """A name that the longer list does not have is said, and so is a list that is too short."""
    data = LabelledSet("d", ("dog", "unicorn"), (Item("a.png", 1),))
    with pytest.raises(BadRequest, match="1 of the 2 classes of 'd' are not in the list of 130 names: unicorn"):
        judged_among(data, names_of("everyday"))
    with pytest.raises(BadRequest, match="1 class names were given; 'd' has 2 classes"):
        judged_among(data, ("dog",))


def test_as_many_names_in_another_order_rename_nothing() -> None:
    """A list of exactly the data set's names finds its classes by name, wherever each stands."""
    data = LabelledSet("d", ("cat", "dog"), (Item("a.png", 1), Item("b.png", 0)))
    found = judged_among(data, ("dog", "cat"))
    assert [found.classes[item.label] for item in found.items] == ["dog", "cat"]


def test_an_index_that_does_not_fit_the_name_is_passed_over() -> None:
    """Indices count in some list, and it may be another than the one that is judged among."""
    data = LabelledSet("d", ("cat", "dog"), (Item("a.png", 1),), indices=(281, 0))
    everyday_names = names_of("everyday")
    found = judged_among(data, everyday_names)
    assert found.items[0].label == everyday_names.index("dog")


def test_classes_of_one_name_need_a_list_that_tells_them_apart() -> None:
    """Two cranes with indices of their own are refused where both would be called a crane."""
    data = LabelledSet("d", ("crane", "crane"), (Item("a.png", 1),), indices=(134, 517))
    with pytest.raises(BadRequest, match="no model can tell them apart: crane"):
        judged_among(data, data.classes)
    assert judged_among(data, names_of("imagenet")).items[0].label == 517


def test_as_many_names_rename_the_classes() -> None:
    """One name per class, in the order of the data set, is taken as it is."""
    data = LabelledSet("d", ("n1", "n2"), (Item("a.png", 1),))
    assert judged_among(data, ("cat", "dog")).classes == ("cat", "dog")
    assert judged_among(data, ("cat", "dog")).items == data.items
