"""The result store: what was put in comes out, whatever happens to its file, and never an error."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from capt_engine import folders
from capt_engine.errors import BadRequest
from capt_engine.results import limits
from capt_engine.results import store as store_module
from capt_engine.results.disks import file_system_of
from capt_engine.results.keys import digest_of, key_of, store_key, subject_of
from capt_engine.results.store import FILE, Group, Question, ResultStore

SHA = "ab" * 32


def question(*parts: object, attack: str = "pgd", eps: float = 0.1) -> Question:
    """A question about an attack; those with the same parts are the same but for ε."""
    series = digest_of(*parts)
    return Question(digest_of(series.hex(), eps), series, "attacked", "model", attack, eps)


def filled(folder: Path, n: int = 8, size: int = 1000) -> list[tuple[Question, bytes, bytes]]:
    """A store of n values of a size, put in one after the other."""
    cells = [(question("q"), subject_of(f"{i:064x}"), bytes([i % 256]) * size) for i in range(n)]
    with ResultStore(folder, low=0) as store:
        store.put(cells)
    return cells


def found(folder: Path, cells: list[tuple[Question, bytes, bytes]]) -> list[bytes | None]:
    """The values that a new store in the folder finds."""
    with ResultStore(folder, low=0) as store:
        return [store.find([key], [one.digest]).get((key, one.digest)) for one, key, _ in cells]


def test_what_was_put_in_comes_out(tmp_path: Path) -> None:
    """Values are found by question and picture, also by a store that is opened later; others are missing, not wrong."""
    cells = filled(tmp_path)
    assert found(tmp_path, cells) == [value for _, _, value in cells]
    with ResultStore(tmp_path) as store:
        assert store.find([subject_of(SHA)], [cells[0][0].digest]) == {}
        assert store.find([cells[0][1]], [digest_of("another")]) == {}
        assert store.note == ""


def test_looking_makes_no_file(tmp_path: Path) -> None:
    """Whoever only asks leaves nothing behind."""
    with ResultStore(tmp_path / "none") as store:
        assert store.find([subject_of(SHA)], [digest_of(1)]) == {}
        assert store.groups() == ()
        assert store.trim(0) == (0, 0)
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(os.name != "posix", reason="no such rights here")
def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """The folder and every file in it are closed to others: they hold pictures."""
    filled(tmp_path / "new")
    with ResultStore(tmp_path / "new", low=0) as store:
        store.put([(question("q"), subject_of(SHA), b"x")])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
        assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_answers_at_every_budget_are_found_together(tmp_path: Path) -> None:
    """One series, one picture: all values, the smallest ε first; another picture's or another question's are not among them."""
    subject, other = subject_of(SHA, 1), subject_of(SHA, 2)
    with ResultStore(tmp_path, low=0) as store:
        for eps in (0.3, 0.1, 0.2):
            store.put([(question("a", eps=eps), subject, str(eps).encode())])
        store.put([(question("b"), subject, b"other"), (question("a", eps=0.4), other, b"other")])
        assert [(one.eps, value) for one, value in store.of_series(question("a").series, subject)] == [
            (0.1, b"0.1"),
            (0.2, b"0.2"),
            (0.3, b"0.3"),
        ]


def test_the_longest_unused_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the budget a store loses what was used longest ago, down to the budget, and the file shrinks with it."""
    now = 1_000_000.0
    monkeypatch.setattr(store_module.time, "time", lambda: now)
    cells = filled(tmp_path, 200, 10_000)
    large = (tmp_path / FILE).stat().st_size
    now += 10_000
    assert found(tmp_path, cells[:50]) == [value for _, _, value in cells[:50]]
    now += 10_000
    ResultStore(tmp_path, n_bytes=1_000_000, low=0).close()
    with ResultStore(tmp_path, n_bytes=1_000_000, low=0) as store:
        store.put([(question("new"), subject_of(SHA), b"new")])
    left = [value is not None for value in found(tmp_path, cells)]
    assert all(left[:50])
    assert 20 < sum(left[50:]) < 50
    assert (tmp_path / FILE).stat().st_size < 0.6 * large
    with ResultStore(tmp_path, low=0) as store:
        assert store.trim(unused_for_s=5_000) == (0, 0)
        now += 10_000
        store.put([(question("newer"), subject_of(SHA), b"newer")])
        assert store.trim(unused_for_s=5_000)[0] == sum(left) + 1
        assert store.trim(to=0)[0] == 1
        assert store.groups() == ()
        assert store.note == ""


def test_a_nearly_full_disk_is_given_back(tmp_path: Path) -> None:
    """Below the free bytes that are wanted the store empties itself, says so, and stores no more; it still answers."""
    cells = filled(tmp_path)
    with ResultStore(tmp_path, low=10**18) as store:
        assert store.find([cells[0][1]], [cells[0][0].digest])
    assert "8 results" in store.note
    assert "nothing more is stored" in store.note
    assert found(tmp_path, cells) == [None] * 8


@pytest.mark.parametrize("spoil", ["text", "cut", "other", "pages"])
def test_a_broken_or_foreign_file_is_set_aside(tmp_path: Path, spoil: str) -> None:
    """A sentence names what it was renamed to; its bytes are kept, and the same run begins a new store."""
    cells = filled(tmp_path, 300)
    path = tmp_path / FILE
    if spoil == "text":
        path.write_text("This is no database, though long enough for one." * 100, encoding="utf-8")
    elif spoil == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif spoil == "pages":
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    else:
        path.unlink()
        link = sqlite3.connect(path)
        link.execute("CREATE TABLE cells(mine)")
        link.close()
    before = path.read_bytes()
    with ResultStore(tmp_path, low=0) as store:
        assert store.find([cells[0][1]], [cells[0][0].digest]) == {}
        store.put(cells)
        assert store.find([cells[0][1]], [cells[0][0].digest])
    assert "renamed 'results-1.bad-1.sqlite'" in store.note
    assert path.with_name("results-1.bad-1.sqlite").read_bytes() == before
    assert found(tmp_path, cells) == [value for _, _, value in cells]


def test_a_locked_store_is_only_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds it for longer than is waited, nothing is kept, and one sentence says why; reading goes on."""
    cells = filled(tmp_path)
    monkeypatch.setattr(store_module, "_WAIT_S", 0.05)
    link = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    link.execute("BEGIN IMMEDIATE")
    with ResultStore(tmp_path, low=0) as store:
        assert store.find([cells[0][1]], [cells[0][0].digest])
        store.put([(question("new"), subject_of(SHA), b"new")])
        store.put([(question("new"), subject_of(SHA), b"new")])
    link.close()
    assert store.note.count("locked") == 1
    assert found(tmp_path, [(question("new"), subject_of(SHA), b"")]) == [None]


def test_a_full_disk_is_only_not_kept(tmp_path: Path) -> None:
    """A file that may not grow is a sentence; what was stored before is there afterwards."""
    resource = pytest.importorskip("resource", reason="no limit on the size of files here")
    cells = filled(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / FILE).stat().st_size, hard))
    try:
        with ResultStore(tmp_path, low=0) as store:
            store.put([(question("new"), subject_of(f"{i:064x}"), bytes(10_000)) for i in range(100)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert store.note.startswith("The result store is not used: ")
    assert found(tmp_path, cells) == [value for _, _, value in cells]


def test_a_folder_that_cannot_be_is_only_not_used(tmp_path: Path) -> None:
    """A file where the folder should be, and nothing is raised."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with ResultStore(tmp_path / "file" / "store") as store:
        store.put([(question("q"), subject_of(SHA), b"x")])
        assert store.find([subject_of(SHA)], [question("q").digest]) == {}
    assert "not used" in store.note
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


MOUNTS = """22 1 8:1 / / rw - ext4 /dev/root rw
40 22 0:50 / /home rw,relatime shared:1 - nfs4 server:/home rw
41 40 8:2 / /home/an\\040na/disk rw - xfs /dev/sdb rw
"""


def test_a_disk_of_another_computer_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The innermost mount counts; on a network file system the store is off, in a sentence that says how to place it elsewhere."""
    assert file_system_of(Path("/home/an na/x"), MOUNTS) == "nfs4"
    assert file_system_of(Path("/home/an na/disk/x"), MOUNTS) == "xfs"
    assert file_system_of(Path("/homes"), MOUNTS) == "ext4"
    monkeypatch.setattr(store_module, "network_file_system", lambda _: "nfs4")
    with ResultStore(tmp_path / "s") as store:
        store.put([(question("q"), subject_of(SHA), b"x")])
    assert "nfs4" in store.note
    assert "CAPT_CACHE_DIR" in store.note
    assert not (tmp_path / "s").exists()


WRITER = """
import sys
from pathlib import Path
from tests.engine.results.test_store import question
from capt_engine.results.keys import subject_of
from capt_engine.results.store import ResultStore
number = int(sys.argv[2])
with ResultStore(Path(sys.argv[1]), low=0) as store:
    for i in range(40):
        store.put([(question("q"), subject_of(f"{number * 1000 + i:064x}"), bytes([number]) * 100)])
        store.find([subject_of(f"{i:064x}")], [question("q").digest])
    assert not store.note, store.note
"""


def test_several_programs_at_once(tmp_path: Path) -> None:
    """Three processes that begin one store together each find afterwards all that each of them has put in."""
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(n)], cwd=Path(__file__).parents[3])
        for n in range(3)
    ]
    assert [one.wait(60) for one in started] == [0, 0, 0]
    cells = [(question("q"), subject_of(f"{n * 1000 + i:064x}"), bytes([n]) * 100) for n in range(3) for i in range(40)]
    assert found(tmp_path, cells) == [value for _, _, value in cells]


def test_keys_of_rows_are_read_back_or_refused() -> None:
    """A key names series and picture; any other text is a sentence."""
    series, subject = digest_of("a", 0.1), subject_of(SHA, 3, None)
    assert key_of(store_key(series, subject)) == (series, subject)
    assert digest_of(0.1) != digest_of(0.1 + 1e-17 * 2)
    for text in ("", "x", store_key(series, subject) + "0", store_key(series, subject).upper()):
        with pytest.raises(BadRequest, match="no key of the result store"):
            key_of(text)


@pytest.mark.parametrize(
    ("text", "n_bytes"), [("0", 0), ("500MB", 500_000_000), (" 1.5 gb", 1_500_000_000), ("2G", 2_000_000_000), ("7", 7)]
)
def test_sizes_are_read_as_people_write_them(text: str, n_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Powers of 1000, with or without a space; the budget is that of the variable, or 5 GB."""
    assert limits.read_size(text) == n_bytes
    monkeypatch.setenv(limits.SIZE, text)
    assert limits.budget() == n_bytes
    monkeypatch.setenv(limits.SIZE, "much")
    assert limits.budget() == 5_000_000_000
    with pytest.raises(BadRequest, match="no size"):
        limits.read_size("-3 GB")


def test_the_window_says_how_much_the_store_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its settings file counts where the variable is not set; a number that is none does not."""
    monkeypatch.setattr(folders, "config_dir", lambda: tmp_path)
    for written, n_bytes in (("1.5", 1_500_000_000), ("-1.0", 5_000_000_000), ("inf", 5_000_000_000)):
        (tmp_path / "settings.toml").write_text(f"store_budget_gb = {written}\n")
        assert limits.budget() == n_bytes
    monkeypatch.setenv(limits.SIZE, "7GB")
    assert limits.budget() == 7_000_000_000


def test_groups_count_entries_bytes_and_uses(tmp_path: Path) -> None:
    """Each model and attack is a line, the largest first."""
    cells = filled(tmp_path, 3, 100)
    with ResultStore(tmp_path, low=0) as store:
        store.put([(question("z", attack="fgsm"), subject_of(SHA), b"x" * 5)])
    found(tmp_path, cells[:2])
    with ResultStore(tmp_path, low=0) as store:
        assert store.groups() == (Group("model", "pgd", 3, 300, 2), Group("model", "fgsm", 1, 5, 0))
