"""Make the class lists of this folder: `uv run --with timm==1.0.31 python resources/classes/make.py [WORDNET]`.

imagenet.csv: ImageNet's 1,000 classes in their order, from timm's lists. concepts.csv: WordNet's broader concepts over 2 to 400 of them,
from `data.noun` of WordNet 3.0 (Debian's `wordnet-base` puts it into /usr/share/wordnet). everyday.csv: the list below.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from capt_engine.files import write_atomic

HERE = Path(__file__).parent
FEWEST, MOST = 2, 400
# Lemmas that stand for two classes, or differ from another only in their capital letters, which CLIP's tokenizer does not see.
RENAMED = {134: "crane bird", 517: "construction crane", 639: "maillot tank suit", 264: "Cardigan Welsh corgi"}
# Everyday words. "word" is a concept's or a class's own name; "word = a, b" covers those names.
EVERYDAY = """
dog; cat = domestic cat; lion; tiger; leopard = leopard, snow leopard, jaguar, cheetah; wolf; fox; bear; panda = giant
panda; elephant; monkey; ape; rabbit; squirrel = fox squirrel; hamster; horse = sorrel; zebra; cow = ox; sheep = ram,
bighorn; pig = hog, wild boar; antelope; camel = Arabian camel, llama; kangaroo = wallaby; koala; whale; seal = sea
lion; otter; bird; snake; lizard; turtle; crocodile = African crocodile, American alligator; frog; fish; spider;
butterfly; bee; beetle; ant; fly; snail; crab; lobster; jellyfish; person; car; truck = fire engine, garbage truck,
moving van, pickup, police van, tow truck, trailer truck; bus; train = locomotive, bullet train, passenger car,
electric locomotive, steam locomotive; bicycle; motorcycle = moped, motor scooter; airplane = airliner, warplane,
wing; ship; boat; tractor; balloon; chair; table; bed = four-poster; sofa = studio couch; lamp = table lamp,
lampshade; clock; telephone; computer; keyboard = computer keyboard, typewriter keyboard; television; camera; bottle;
cup; bowl = mixing bowl, soup bowl; knife; spoon = wooden spoon, ladle; pan; box; bag; basket; ball; guitar; piano;
violin; drum; flute; hat; shoe; coat; skirt; sweater; shirt = jersey; umbrella; sunglasses; mask; helmet; gun; hammer;
broom; candle; pen; book = comic book, book jacket; apple = Granny Smith; orange; banana; lemon; strawberry;
pineapple; bread; pizza; hamburger = cheeseburger; hot dog = hotdog; ice cream; mushroom; corn; broccoli; coffee =
espresso; house = mobile home, boathouse; church; castle; bridge; fountain; fence; mountain = alp; beach = seashore,
sandbar; lake = lakeside; volcano; flower; stove; refrigerator; sink = washbasin; toilet = toilet seat; door = sliding
door; window = window screen, window shade
"""


def main() -> None:
    """Write the three lists."""
    classes = imagenet()
    concepts = broader(classes, Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/wordnet"))
    _write("imagenet.csv", ("index", "synset", "label", "names"), classes)
    _write("concepts.csv", ("names", "classes"), [(", ".join(names), ranges(covered)) for names, covered in concepts])
    _write("everyday.csv", ("word", "classes"), everyday(classes, concepts))


def imagenet() -> list[tuple[int, str, str, str]]:
    """Index, synset, label and all names of each class."""
    import timm

    info = Path(timm.__file__).parent / "data" / "_info"
    names = dict(line.split("\t") for line in (info / "imagenet_synset_to_lemma.txt").read_text().splitlines())
    synsets = (info / "imagenet_synsets.txt").read_text().split()
    return [(i, one, RENAMED.get(i, names[one].split(", ")[0]), names[one]) for i, one in enumerate(synsets)]


def broader(classes: list[tuple[int, str, str, str]], wordnet: Path) -> list[tuple[list[str], list[int]]]:
    """Names and classes of each concept of WordNet that covers some of the classes, the widest first."""
    words, above = {}, {}
    for line in (wordnet / "data.noun").read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):
            fields = line.split(" | ")[0].split()
            end = 4 + 2 * int(fields[3], 16)
            words[fields[0]] = [one.replace("_", " ") for one in fields[4:end:2]]
            pointers = fields[end + 1 : end + 1 + 4 * int(fields[end])]
            above[fields[0]] = [
                to for kind, to in zip(pointers[::4], pointers[1::4], strict=True) if kind in ("@", "@i")
            ]
    covered: defaultdict[str, set[int]] = defaultdict(set)
    for index, synset, _, _ in classes:
        waiting = [synset[1:]]
        while waiting:
            one = waiting.pop()
            if index not in covered[one]:
                covered[one].add(index)
                waiting += above[one]
    found = [(words[one], sorted(some)) for one, some in covered.items() if FEWEST <= len(some) <= MOST]
    return sorted(found, key=lambda one: (-len(one[1]), one[0]))


def everyday(
    classes: list[tuple[int, str, str, str]], concepts: list[tuple[list[str], list[int]]]
) -> list[tuple[str, str]]:
    """Each everyday word with its classes: a concept's own name before a class's label, a label before another name of it."""
    known: dict[str, set[int]] = {}
    for names, covered in concepts:
        known.setdefault(names[0].lower(), set(covered))
    for names, covered in concepts:
        for name in names[1:]:
            known.setdefault(name.lower(), set(covered))
    for index, _, label, _ in classes:
        known.setdefault(label.lower(), {index})
    for index, _, _, names in classes:
        for name in names.split(", "):
            known.setdefault(name.lower(), {index})
    rows = []
    for entry in EVERYDAY.replace("\n", " ").split(";"):
        word, _, of = (part.strip() for part in entry.partition("="))
        if word:
            covers = set().union(*(known[name.strip().lower()] for name in (of or word).split(",")))
            rows.append((word, ranges(sorted(covers))))
    return rows


def ranges(numbers: list[int]) -> str:
    """Sorted numbers as "3 7-9"."""
    breaks = [0, *(i for i, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1), len(numbers)]
    runs = [(numbers[a], numbers[b - 1]) for a, b in pairwise(breaks)]
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _write(name: str, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    write_atomic(HERE / name, text.getvalue())


if __name__ == "__main__":
    main()
