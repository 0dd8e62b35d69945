"""The toy world is the same for everyone, its splits never meet, and its classes are balanced."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from numpy.random import PCG64, Generator

from capt_engine.cli import demo as cli
from capt_engine.demo import captions, world
from capt_engine.demo.domains import DOMAINS, PALETTE
from capt_engine.demo.samples import SAMPLES, SIZE
from capt_engine.demo.shapes import FORMS, lowest_point
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.resources import resource

SOME_SETS = [
    (task, domain) for task, domain in product(world.TASKS.names(), DOMAINS) if not (domain == "clay" and "mat" in task)
]


def test_a_picture_is_the_same_whenever_and_beside_whatever_it_is_drawn() -> None:
    """Picture 5 of a set is bit-identical drawn alone, drawn twice, and drawn after the five before it."""
    for domain in DOMAINS:
        alone = world.picture(world.scene("shapes", "test", 5, domain))
        together, _ = world.pictures("shapes", "test", 6, domain)
        np.testing.assert_array_equal(alone, together[5])
        assert alone.shape == (96, 96, 3)
        assert alone.dtype == np.uint8


def test_pictures_differ_from_one_another() -> None:
    """Neighbours in a set, other seeds and other splits give other pictures."""
    scenes = [world.scene("shapes", split, i, seed=seed) for split in world.SPLITS for i in (0, 14) for seed in (0, 1)]
    drawn = {world.picture(scene).tobytes() for scene in scenes}
    assert len(drawn) == len(scenes)


def test_a_picture_shows_something() -> None:
    """In every domain and for every shape the object stands out: the picture is neither flat nor blown out."""
    for domain in DOMAINS:
        for index in range(14):
            pixels = world.picture(world.scene("shapes", "val", index, domain), size=32)
            assert pixels.std() > 4, (domain, index)
            assert 5 < pixels.mean() < 250, (domain, index)


def test_splits_are_disjoint_by_construction() -> None:
    """The last two bits of a seed name its stream, so no two splits, nor pre-training, can share a scene."""
    seeds = {split: {world.scene("shapes", split, i).seed for i in range(300)} for split in world.SPLITS}
    seeds["pretrain"] = {world.pretraining_scene(i).seed for i in range(300)}
    residues = {stream: {seed % 4 for seed in found} for stream, found in seeds.items()}
    assert all(len(found) == 1 for found in residues.values())
    assert len(set.union(*residues.values())) == 4
    assert all(len(found) == 300 for found in seeds.values())


@pytest.mark.parametrize(("task", "domain"), SOME_SETS)
def test_classes_are_balanced_and_labels_are_true(task: str, domain: str) -> None:
    """Three rounds of a set hold each class three times, and each label names what the scene shows."""
    classes = world.TASKS[task].classes
    scenes = [world.scene(task, "train", i, domain) for i in range(3 * len(classes))]
    labels = [world.label(task, scene) for scene in scenes]
    assert set(Counter(labels).values()) == {3}
    assert set(labels) == set(range(len(classes)))
    for scene, label in zip(scenes, labels, strict=True):
        assert classes[label] == captions.class_name(world.TASKS[task].family, scene.subject)
        assert scene.domain == domain


def test_unseen_pairs_stay_out_of_everything_but_their_own_set() -> None:
    """Pre-training and the other tasks never show an unseen pair of shape and colour; the set `unseen` shows nothing else."""

    def pairs(scenes: list[world.Scene]) -> set[tuple[str, str]]:
        return {(scene.subject.shape, scene.subject.colour) for scene in scenes}

    trained = pairs([world.pretraining_scene(i) for i in range(4000)])
    assert not trained & world.UNSEEN_PAIRS
    assert len(trained) == len(captions.SHAPES) * len(captions.COLOURS) - len(world.UNSEEN_PAIRS)
    for task in set(world.TASKS.names()) - {"unseen"}:
        assert not pairs([world.scene(task, "test", i) for i in range(200)]) & world.UNSEEN_PAIRS
    assert pairs([world.scene("unseen", "test", i) for i in range(200)]) == world.UNSEEN_PAIRS
    assert {colour for _, colour in world.UNSEEN_PAIRS} == set(captions.COLOURS)


def test_pretraining_is_plain_and_shows_every_material() -> None:
    """The pre-training stream keeps to the domain `plain` and draws shapes and materials evenly."""
    scenes = [world.pretraining_scene(i) for i in range(1400)]
    assert {scene.domain for scene in scenes} == {"plain"}
    assert set(Counter(scene.subject.shape for scene in scenes).values()) == {100}
    assert min(Counter(scene.subject.material for scene in scenes).values()) > 220


def test_captions_name_what_is_drawn_and_nothing_else() -> None:
    """Each caption is lower case, holds a word for at least one true factor, and none for a false one."""
    rng = Generator(PCG64(3))
    tables = (captions.SHAPES, captions.COLOURS, captions.MATERIALS)
    said = 0
    for index in range(600):
        subject = world.pretraining_scene(index).subject
        family = captions.FAMILIES[index % len(captions.FAMILIES)]
        sentence = captions.class_caption(family, captions.class_name(family, subject), rng)
        assert sentence == sentence.lower()
        words = f" {sentence.rstrip('.')} ".replace(".", " ")
        for table, truth in zip(tables, (subject.shape, subject.colour, subject.material), strict=True):
            named = {name for name, synonyms in table.items() if any(f" {word} " in words for word in synonyms)}
            # "a rose" is a colour word inside no other factor; "golden yellow" holds "yellow", its own class.
            assert named <= {truth}, sentence
            said += bool(named)
    assert said > 900


def test_no_two_classes_share_a_word() -> None:
    """A synonym belongs to one class only, else a caption would be ambiguous."""
    words = [
        word for table in (captions.SHAPES, captions.COLOURS, captions.MATERIALS) for s in table.values() for word in s
    ]
    assert len(words) == len(set(words))


def test_the_world_and_its_tables_agree() -> None:
    """Every shape has a form, every colour a paint, and the command line names the same tasks, splits and domains."""
    assert set(captions.SHAPES) == set(FORMS)
    assert set(captions.COLOURS) == set(PALETTE)
    assert world.TASKS.names() == cli.TASKS
    assert cli.SPLITS == world.SPLITS
    assert cli.DOMAINS == DOMAINS
    assert len({(task, domain) for task, domain in world.DOWNSTREAM}) == len(world.DOWNSTREAM) >= 6


def test_forms_keep_their_promises() -> None:
    """Each form touches the ground at its rest height, lies within its bound, and its distance never overshoots."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-1.4, 1.4, (3, 6000)).astype(np.float32)
    for name, form in FORMS.items():
        d = form.distance(points)
        radius = np.sqrt((points**2).sum(axis=0))
        assert not (d[radius > form.bound] < 0).any(), name
        assert abs(lowest_point(form, np.eye(3, dtype=np.float32)) - form.rest) < 0.09, name
        step = rng.normal(size=points.shape).astype(np.float32) * np.float32(0.05)
        change = np.abs(form.distance(points + step) - d)
        assert (change <= np.sqrt((step**2).sum(axis=0)) * 1.02 + 1e-4).all(), name


def test_wrong_names_are_answered_with_the_nearest() -> None:
    """Unknown tasks, splits and domains are refused with a hint, and so is a question that clay cannot answer."""
    with pytest.raises(UnknownName, match="shapes"):
        world.scene("shape", "test", 0)
    with pytest.raises(UnknownName, match="night"):
        world.scene("shapes", "test", 0, "nigth")
    with pytest.raises(UnknownName, match="test"):
        world.scene("shapes", "tests", 0)
    with pytest.raises(BadRequest, match="clay"):
        world.scene("materials", "test", 0, "clay")


def test_the_bundled_samples_are_drawn_by_this_code() -> None:
    """Drawing two samples again gives the bundled files to within one step of 255, edges of single pixels apart."""
    from PIL import Image

    files = {path.name for path in resource("samples").glob("*.png")}
    assert files == {f"{name}.png" for name in SAMPLES}
    for name in list(SAMPLES)[:2]:
        file_name = f"{name}.png"
        with Image.open(resource("samples", file_name)) as image:
            bundled = np.asarray(image.convert("RGB"), dtype=np.int16)
        apart = np.abs(bundled - world.picture(SAMPLES[name], SIZE).astype(np.int16)).max(axis=2)
        assert (apart <= 1).mean() > 0.999, file_name
        assert resource("samples", file_name).stat().st_size < 250_000
