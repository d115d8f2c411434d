"""What a class hands in, in every form; what is wrong stays one student's."""

import hashlib
import json
import os
import socket
import stat
import time
import unicodedata
import zipfile

import pytest

from attnbook.grading.intake import bounds, zips
from attnbook.grading.intake.collect import collect
from attnbook.grading.intake.found import read_file
from attnbook.grading.intake.item import CollectError, Refused
from attnbook.grading.strangers import RESERVED, folder_name, student_name
from attnbook.notebooks.cells import NotANotebook, notebook_cells
from tests.handed_in import GOOD, NOTEBOOK, ONE, TWO, notebook, write, zipped


def found(source, sheets=ONE, **options):
    """{(student, sheet): notebook, or the sentence that refuses it}"""
    return {
        (s.student, s.sheet): s.refused or s.notebook
        for s in collect(source, sheets, **options).submissions
    }


def refusal(folder, data, name=GOOD, **options):
    """What alice is told, while bob's work is taken as ever."""
    write(folder, {f"bob/{GOOD}": NOTEBOOK, f"alice/{name}": data})
    got = found(folder, **options)
    assert got.pop(("bob", "2_1")) == NOTEBOOK
    assert list(got) == [("alice", "2_1")]
    return got["alice", "2_1"]


# --- forms in which a class hands in ---------------------------------------


def test_a_folder_of_notebooks_is_a_class_with_one_sheet(tmp_path):
    write(tmp_path, {"alice.ipynb": NOTEBOOK, "bob 2.ipynb": NOTEBOOK})
    write(tmp_path, {"grades.csv": b"", ".hidden.ipynb": NOTEBOOK})
    write(tmp_path, {".ipynb_checkpoints/alice.ipynb": NOTEBOOK})
    assert found(tmp_path) == {
        ("alice", "2_1"): NOTEBOOK,
        ("bob 2", "2_1"): NOTEBOOK,
    }
    first = collect(tmp_path, ONE).submissions[0]
    assert first.source == str(tmp_path / "alice.ipynb")


def test_with_several_sheets_the_name_says_which(tmp_path):
    other = notebook("y = 2")
    names = ["alice_2_1.ipynb", "alice_2_2_scaling.ipynb", "bob-2.1.ipynb"]
    write(tmp_path, dict(zip(names, (NOTEBOOK, other, NOTEBOOK))))
    write(tmp_path, {"carl.ipynb": NOTEBOOK})
    got = found(tmp_path, TWO)
    assert got["alice", "2_1"] == got["bob", "2_1"] == NOTEBOOK
    assert got["alice", "2_2"] == other
    for name, number in (("bob", "2_2"), ("carl", "2_1"), ("carl", "2_2")):
        assert got[name, number] == (
            f"There is no notebook for sheet {number} among the 1 handed in: "
            f"hand in {TWO[number]}.ipynb, under this name."
        )
    assert len(got) == 6


def test_a_folder_per_student_also_one_level_deeper(tmp_path):
    write(tmp_path, {f"alice/{GOOD}": NOTEBOOK})
    write(tmp_path, {f"bob/week 3/{GOOD}": NOTEBOOK})
    write(tmp_path, {"carl/2_1 (1).ipynb": NOTEBOOK, "carl/x.py": b""})
    write(tmp_path, {"dora/my work.ipynb": NOTEBOOK})
    write(tmp_path, {f"eve/{GOOD}.txt": NOTEBOOK})
    write(tmp_path, {f"fay/.ipynb_checkpoints/{GOOD}": b""})
    write(tmp_path, {f"fay/{GOOD}": NOTEBOOK})
    students = ("alice", "bob", "carl", "dora", "eve", "fay")
    assert found(tmp_path) == {(s, "2_1"): NOTEBOOK for s in students}


def test_a_course_folder_handed_in_whole(tmp_path):
    chapter, work = notebook("chapter"), notebook("work")
    write(tmp_path, {f"a/course/chapters/2_x/{GOOD}": chapter})
    write(tmp_path, {f"a/course/exercises/2_x/{GOOD}": work})
    write(tmp_path, {f"b/{GOOD}": work})
    assert found(tmp_path)["a", "2_1"] == work


MOODLE = {
    "Ada Lovelace_101_assignsubmission_file_/" + GOOD: NOTEBOOK,
    "Bo Li_102_assignsubmission_file/sub/hw.ipynb": NOTEBOOK,
    "Bo Li_103_assignsubmission_file/hw.ipynb": NOTEBOOK,
    "Cy Twombly_104_assignsubmission_file_answer.ipynb": NOTEBOOK,
    "Di_105_assignsubmission_file_/hw.zip": zipped({"hw/a.ipynb": NOTEBOOK}),
    "Di_105_assignsubmission_onlinetext_/onlinetext.html": b"hello",
    "Participant_106_assignsubmission_onlinetext_/onlinetext.html": b"hello",
    "__MACOSX/Ada Lovelace_101_assignsubmission_file_/._x.ipynb": b"\0",
}
MOODLES = {
    ("Ada Lovelace (101)", "2_1"): NOTEBOOK,
    ("Bo Li (102)", "2_1"): NOTEBOOK,
    ("Bo Li (103)", "2_1"): NOTEBOOK,
    ("Cy Twombly (104)", "2_1"): NOTEBOOK,
    ("Di (105)", "2_1"): NOTEBOOK,
    ("Participant (106)", "2_1"): "There is no notebook for sheet 2_1 here: "
    f"hand in {GOOD}, under this name.",
}


def test_moodle(tmp_path):
    (tmp_path / "m.zip").write_bytes(zipped(MOODLE))
    assert found(tmp_path / "m.zip") == MOODLES
    write(tmp_path / "unpacked", MOODLE)
    assert found(tmp_path / "unpacked") == MOODLES
    wrapped = zipped({f"week 3/{k}": v for k, v in MOODLE.items()})
    (tmp_path / "again.zip").write_bytes(wrapped)
    assert found(tmp_path / "again.zip") == MOODLES


CANVAS = {
    "lovelaceada_101_9001_" + GOOD: NOTEBOOK,
    "lovelaceada_101_9002_notes.pdf": b"",
    "libo_LATE_102_9003_2_1_queries_keys_values-1.ipynb": NOTEBOOK,
    "libo_103_9004_homework.ipynb": NOTEBOOK,
    "anon_a1b2c_9005_homework.ipynb": NOTEBOOK,
    "LATE_anon_x9y8z_9006_homework.zip": zipped({"homework.ipynb": NOTEBOOK}),
    "di_104_9007_report.pdf": b"",
}


def test_canvas(tmp_path):
    (tmp_path / "submissions.zip").write_bytes(zipped(CANVAS))
    got = found(tmp_path / "submissions.zip")
    assert "no notebook for sheet 2_1" in got.pop(("di (104)", "2_1"))
    students = "anonymous a1b2c", "anonymous x9y8z", "libo (102)", "libo (103)"
    assert got == {
        (name, "2_1"): NOTEBOOK for name in (*students, "lovelaceada (101)")
    }
    write(tmp_path / "unpacked", CANVAS)
    assert set(found(tmp_path / "unpacked")) == {*got, ("di (104)", "2_1")}


def test_a_sheets_number_is_not_taken_for_canvas_identities(tmp_path):
    write(tmp_path, {"alice_2_1_queries_keys_values.ipynb": NOTEBOOK})
    write(tmp_path, {"alice_2_2_scaling.ipynb": NOTEBOOK})
    assert found(tmp_path, TWO) == {
        ("alice", "2_1"): NOTEBOOK,
        ("alice", "2_2"): NOTEBOOK,
    }


@pytest.mark.parametrize(
    "paths, students",
    [
        (["all/alice/2_1.ipynb", "all/bob/2_1.ipynb"], ["alice", "bob"]),
        (["all/alice/a.ipynb", "all/bob/b.ipynb"], ["alice", "bob"]),
        (["all/alice.ipynb", "all/bob.ipynb"], ["alice", "bob"]),
        (["all/ada_101_9001_x.ipynb"], ["ada (101)"]),
        (["alice/2_1.ipynb", "alice/data_2026_11_22.csv"], ["alice"]),
        (["alice/week_1_2_a/2_1.ipynb"], ["alice"]),
        (["alice.ipynb", "grades_2026_11_22.csv"], ["alice"]),
        (["alice/one/2_1.ipynb"], ["alice"]),
        (["alice/2_1.ipynb", "alice/data/x.ipynb"], ["alice"]),
        (["alice/2_1.ipynb", "alice/notes.ipynb"], ["alice"]),
        (
            ["alice/exercises/a/2_1.ipynb", "alice/chapters/a/2_1.ipynb"],
            ["alice"],
        ),
    ],
)
def test_one_folder_around_the_class_is_no_student(tmp_path, paths, students):
    write(tmp_path, dict.fromkeys(paths, NOTEBOOK))
    assert found(tmp_path) == {(s, "2_1"): NOTEBOOK for s in students}


def test_one_notebook_is_a_class_of_one(tmp_path):
    write(tmp_path, {"alice.ipynb": NOTEBOOK, GOOD: NOTEBOOK})
    assert found(tmp_path / "alice.ipynb") == {("alice", "2_1"): NOTEBOOK}
    assert list(found(tmp_path / GOOD)) == [(GOOD[:-6], "2_1")]
    (tmp_path / "mine.ipynb").symlink_to("alice.ipynb")  # the instructor's own
    assert found(tmp_path / "mine.ipynb") == {("mine", "2_1"): NOTEBOOK}


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda p: p / "nowhere", "There is nothing at"),
        (lambda p: p, "There is no notebook (.ipynb) and no zip in"),
        (lambda p: p / "a.txt", "is neither a folder nor a zip nor a notebook"),
        (lambda p: p / "a.zip", "is damaged, or no zip: download it again."),
        (lambda p: p / "b.zip", "There is no notebook (.ipynb) and no zip in"),
        (lambda p: p / "pipe.zip", "is neither a folder nor a zip nor"),
    ],
)
def test_nothing_to_grade(tmp_path, make, says):
    os.mkfifo(tmp_path / "pipe.zip")
    write(tmp_path, {"a.txt": b"", "sub/b.txt": b""})
    os.unlink(tmp_path / "pipe.zip") if make(tmp_path) == tmp_path else None
    if make(tmp_path).name in ("a.zip", "b.zip"):
        write(tmp_path, {"a.zip": b"PK no", "b.zip": zipped({"a.txt": b""})})
    with pytest.raises(CollectError) as reason:
        collect(make(tmp_path), ONE)
    assert says in str(reason.value) and "\n" not in str(reason.value)


def test_too_many_files_in_a_class(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "MAX_CLASS_FILES", 1)
    (tmp_path / "c.zip").write_bytes(zipped({"a/x.ipynb": b"", "b": b""}))
    with pytest.raises(CollectError, match="2 files and at most 1 are read"):
        collect(tmp_path / "c.zip", ONE)


# --- what is wrong with one student's work ---------------------------------

BROKEN = {
    b"": "The file is empty: save the notebook and hand it in again.",
    b'{"cells": [\n': "The file is not JSON (line 2), as notebooks are: open "
    "it in JupyterLab, save it there and hand it in again.",
    b"[1, 2]": "The file is JSON but no notebook, for it has no cells: hand "
    "in the .ipynb file that JupyterLab saves.",
    b'{"cells": {}}': "The notebook's cells are not a list: open it in "
    "JupyterLab, save it there and hand it in again.",
    b'{"nbformat": 3, "worksheets": []}': "The notebook is in an old format "
    "(nbformat 3): open it in JupyterLab, save it there and hand it in again.",
    NOTEBOOK.decode().encode("utf-16"): "The file is not UTF-8 text, as "
    "notebooks are: open it in JupyterLab, save it there and hand it in again.",
    b"[" * 200_000: "The file's JSON is nested too deeply or holds a number "
    "too long for any notebook: hand in the file that JupyterLab saves.",
    b'{"cells": [' + b"9" * 5000 + b"]}": "The file's JSON is nested too "
    "deeply or holds a number too long for any notebook: hand in the file "
    "that JupyterLab saves.",
    b'{"cells": [' + b"{}," * 9 + b"{}"
    b"]}" + b" " * 2_000_000: f"{GOOD} holds more than 2 MB: clear the outputs "
    "of all cells, save, and hand in the notebook alone.",
}


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_is_no_notebook(tmp_path, data):
    assert refusal(tmp_path, data, max_bytes=2_000_000) == BROKEN[data]


def test_two_notebooks_for_one_sheet(tmp_path):
    write(tmp_path, {f"alice/{GOOD[:-6]}-Copy1.ipynb": NOTEBOOK})
    assert refusal(tmp_path, NOTEBOOK) == (
        "There are 2 notebooks for sheet 2_1 (2_1_queries_keys_values-Copy1"
        f".ipynb and {GOOD}): hand in one."
    )


def test_a_hundred_notebooks_make_no_endless_sentence(tmp_path):
    write(tmp_path, {f"alice/{n}/2_1 {n}.ipynb": b"" for n in range(100)})
    assert refusal(tmp_path, NOTEBOOK, "2_1.ipynb") == (
        "There are 101 notebooks for sheet 2_1 (2_1 0.ipynb and 2_1 1.ipynb "
        "and others): hand in one."
    )


def test_no_notebook_that_fits(tmp_path):
    write(tmp_path, {"alice/other.ipynb": NOTEBOOK})
    assert refusal(tmp_path, NOTEBOOK, "another.ipynb") == (
        "There is no notebook for sheet 2_1 among the 2 handed in: hand in "
        f"{GOOD}, under this name."
    )


def test_a_link_is_never_followed(tmp_path):
    secret = tmp_path / "solutions.ipynb"
    secret.write_bytes(NOTEBOOK)
    folder = tmp_path / "class"
    write(folder, {f"bob/{GOOD}": NOTEBOOK})
    (folder / "alice").mkdir()
    (folder / "alice" / GOOD).symlink_to(secret)
    (folder / "carl").symlink_to(tmp_path)
    (folder / "dora.ipynb").symlink_to(secret)
    (folder / "eve").mkdir()
    (folder / "eve" / "work").symlink_to(tmp_path)
    got = found(folder)
    assert got.pop(("bob", "2_1")) == NOTEBOOK
    names = {"alice": GOOD, "carl": "carl", "dora": "dora.ipynb", "eve": "work"}
    assert got == {
        (student, "2_1"): f"{name} is a symbolic link, and links are not "
        "followed: hand in the file itself."
        for student, name in names.items()
    }


def test_a_link_put_there_after_the_listing_is_not_followed(tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(NOTEBOOK)
    (tmp_path / "x.ipynb").symlink_to(secret)
    with pytest.raises(Refused, match="cannot be read"):
        read_file(str(tmp_path / "x.ipynb"), 10)


def test_pipes_and_sockets_do_not_make_it_wait(tmp_path, monkeypatch):
    write(tmp_path, {f"bob/{GOOD}": NOTEBOOK, "alice/x": b"", "carl/x": b""})
    os.mkfifo(tmp_path / "alice" / GOOD)
    sock = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(tmp_path / "carl")  # a socket's path must be short
    sock.bind(GOOD)
    got = found(tmp_path)
    sock.close()
    for student in ("alice", "carl"):
        assert got[student, "2_1"] == (
            f"{GOOD} is a pipe, a socket or a device and not a file: hand in "
            "the notebook itself."
        )
    with pytest.raises(Refused, match="is a pipe"):
        read_file(str(tmp_path / "alice" / GOOD), 10)


def test_a_file_without_permission(tmp_path, monkeypatch):
    def closed(path, flags):
        raise PermissionError(13, "Permission denied")

    says = (
        f"{GOOD} cannot be read (Permission denied): the instructor must "
        "allow it or copy it, then grade again."
    )
    write(tmp_path, {f"alice/{GOOD}": NOTEBOOK})
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", closed)
        assert found(tmp_path) == {("alice", "2_1"): says}
    if os.geteuid():  # root may read everything
        (tmp_path / "alice").chmod(0)
        assert found(tmp_path)["alice", "2_1"].startswith("alice cannot be")
        (tmp_path / "alice").chmod(0o700)


def test_more_files_than_anybody_needs(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "MAX_STUDENT_FILES", 3)
    write(tmp_path, {f"alice/{n}.txt": b"" for n in range(9)})
    says = "There are more than 3 files: hand in the notebook alone."
    assert refusal(tmp_path, b"") == says
    (tmp_path / "c.zip").write_bytes(
        zipped({f"alice/{n}": b"" for n in range(9)} | {f"bob/{GOOD}": b"{}"})
    )
    assert found(tmp_path / "c.zip")["alice", "2_1"] == says
    inner = zipped({f"{n}": b"" for n in range(9)})
    (tmp_path / "d.zip").write_bytes(zipped({"alice/hw.zip": inner}))
    assert found(tmp_path / "d.zip")["alice", "2_1"] == says


# --- zips ------------------------------------------------------------------


def test_a_student_hands_in_a_zip(tmp_path):
    got = refusal(tmp_path, zipped({f"work/{GOOD}": NOTEBOOK}), "hw.zip")
    assert got == NOTEBOOK
    write(tmp_path, {"carl.zip": zipped({"hw.ipynb": NOTEBOOK})})
    assert found(tmp_path)["carl", "2_1"] == NOTEBOOK
    carl = collect(tmp_path, ONE).submissions[2]
    assert carl.source == f"{tmp_path}/carl.zip: hw.ipynb"


def patched(data, **fields):
    """A zip whose headers, local and central, are changed."""
    out = bytearray(data)
    for signature, places in {
        b"PK\3\4": {"flags": 6, "method": 8, "crc": 14, "size": 22},
        b"PK\1\2": {"flags": 8, "method": 10, "crc": 16, "size": 24},
    }.items():
        start = out.find(signature)
        for name, value in fields.items():
            size = 2 if name in ("flags", "method") else 4
            place = start + places[name]
            out[place : place + size] = value.to_bytes(size, "little")
    return bytes(out)


WORK = zipped({GOOD: NOTEBOOK})
ZIPS = {
    "encrypted": (
        patched(WORK, flags=1),
        f"{GOOD} is encrypted: hand in a zip without a password, or the "
        "notebook itself.",
    ),
    "method": (
        patched(WORK, method=14),
        f"{GOOD} is packed by a method that is not read here: hand in an "
        "ordinary zip, or the notebook itself.",
    ),
    "crc": (
        patched(WORK, crc=1),
        f"{GOOD} is damaged inside its zip: make the zip again, or hand in "
        "the notebook itself.",
    ),
    "cut off": (
        WORK[:-30],
        "hw.zip is damaged, or no zip: make it again, or hand in the "
        "notebook itself.",
    ),
    "twice packed": (
        zipped({"inner.zip": WORK}),
        "inner.zip is a zip inside a zip: hand in the notebook itself.",
    ),
    "out of the zip": (
        zipped({f"../../{GOOD}": NOTEBOOK}),
        f"The path ../../{GOOD} leads out of the zip: make the zip again, "
        "with the notebook alone.",
    ),
    "absolute": (
        zipped({f"/etc/{GOOD}": NOTEBOOK}),
        f"The path /etc/{GOOD} leads out of the zip: make the zip again, "
        "with the notebook alone.",
    ),
    "drive": (
        zipped({f"c:\\etc\\{GOOD}": NOTEBOOK}),
        f"The path c:/etc/{GOOD} leads out of the zip: make the zip again, "
        "with the notebook alone.",
    ),
    "no notebook": (
        zipped({"a.txt": b""}),
        f"There is no notebook for sheet 2_1 here: hand in {GOOD}, under "
        "this name.",
    ),
    "empty": (
        zipped({}),
        f"There is no notebook for sheet 2_1 here: hand in {GOOD}, under "
        "this name.",
    ),
}


@pytest.mark.parametrize("case", ZIPS)
def test_a_zip_that_is_refused(tmp_path, case):
    data, says = ZIPS[case]
    assert refusal(tmp_path, data, "hw.zip") == says


def test_a_link_inside_a_zip(tmp_path):
    entry = zipfile.ZipInfo(GOOD)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    data = zipped({entry: "/work/solutions.ipynb"})
    assert "is a symbolic link" in refusal(tmp_path, data, "hw.zip")
    entry.external_attr = (stat.S_IFIFO | 0o777) << 16
    assert "is a pipe" in refusal(tmp_path, zipped({entry: ""}), "hw.zip")


@pytest.mark.parametrize("size", [None, 9])
def test_a_bomb_is_read_up_to_the_limit_whatever_its_header_says(
    tmp_path, monkeypatch, size
):
    bomb = zipped({GOOD: bytes(30_000_000)})
    assert len(bomb) < 40_000
    data = bomb if size is None else patched(bomb, size=size)
    read = []
    entry = zips.read_entry

    def counted(archive, info, limit):
        read.append(entry(archive, info, limit))
        return read[-1]

    monkeypatch.setattr(zips, "read_entry", counted)
    says = refusal(tmp_path, data, "hw.zip", max_bytes=1_000_000)
    if size is None:
        assert says.startswith(f"{GOOD} holds more than 1 MB")
        assert [len(data) for data in read] == [1_000_001]
    else:
        assert "is damaged" in says


def test_too_many_zips_and_too_much_for_a_class(tmp_path, monkeypatch):
    write(tmp_path, {f"alice/{n}.zip": zipped({}) for n in "abc"})
    says = "There are 4 zips: hand in the notebook itself."
    assert refusal(tmp_path, zipped({}), "d.zip") == says
    monkeypatch.setattr(bounds, "MAX_CLASS_BYTES", 100)
    write(tmp_path, {f"zoe/{GOOD}": NOTEBOOK})
    assert found(tmp_path)["zoe", "2_1"] == (
        "The class's files hold over 0.0001 MB in all, so that this one was "
        "not read: grade it by itself."
    )


# --- names -----------------------------------------------------------------


@pytest.mark.parametrize(
    "raw, name",
    [
        ("Jose\u0301", "Jos\u00e9"),
        ("a\u202eb\u200bc\x00d\x1b[31m", "abcd(31m"),
        ("a/b\\c", "a_b_c"),
        ("  a\n\tb  ", "a b"),
        ("\udcff\udc80", "no name"),
        ("x" * 300, "x" * 120),
        ("=cmd|'/C calc'!A0", "=cmd|'_C calc'!A0"),
        ("\U0001f600 Zo\u00eb", "\U0001f600 Zo\u00eb"),
    ],
)
def test_names_are_cleaned(raw, name):
    assert student_name(raw) == name
    assert student_name(name) == name


def test_two_students_whose_names_look_the_same_keep_their_work(tmp_path):
    mine, other = notebook("mine"), notebook("other")
    write(tmp_path, {f"alice/{GOOD}": mine, f"alice\u200b/{GOOD}": other})
    write(tmp_path, {f"alice [0]/{GOOD}": other, f"bob/{GOOD}": other})
    got = found(tmp_path)
    alices = [name for name, _ in got if name.startswith("alice [")]
    assert len(got) == 4 and len(alices) == 2
    assert {got[name, "2_1"] for name in alices} == {mine, other}
    assert ("alice (0)", "2_1") in got
    assert len({folder_name(name) for name, _ in got}) == 4


def test_a_name_that_is_no_text_at_all(tmp_path):
    folder = os.fsencode(tmp_path) + b"/\xff\xfe"
    os.mkdir(folder)
    (tmp_path / os.fsdecode(b"\xff\xfe") / GOOD).write_bytes(NOTEBOOK)
    (got,) = collect(tmp_path, ONE).submissions
    assert got.student == "no name" and got.notebook == NOTEBOOK
    got.source.encode("utf8")


STRANGE = [
    "..",
    ".",
    "",
    "CON",
    "con",
    "nul",
    "-rf",
    "--help",
    "x" * 300,
    "\U0001f600",
    "trailing...",
    "trailing ",
    "a/../b",
    "a\\b",
    "a:b",
    "Alice",
    "ALICE",
    "\u738b\u5c0f\u660e",
    "~root",
    "$(id)",
    "Ada Lovelace (101)",
]


def test_folder_names_are_safe_on_every_system():
    names = [folder_name(student) for student in STRANGE]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert len(name.encode()) <= 255
        assert name == unicodedata.normalize("NFC", name)
        assert name[0].isalnum() and not name.endswith((".", " "))
        assert not set(name) & set("/\\:*?\"<>|.()$' \n")
        assert not RESERVED.match(name)
    assert folder_name("alice") == "alice"
    assert folder_name("Alice").startswith("Alice~")
    assert folder_name("Ada Lovelace (101)").startswith("Ada_Lovelace__101~")


# --- what is read of a notebook --------------------------------------------


def test_what_is_not_needed_may_be_missing_or_wrong():
    cells = [
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "id": "same"},
        {"cell_type": "markdown", "source": "text"},
        {"cell_type": "code", "source": "c = 3", "id": "same", "outputs": 7},
        "no cell",
        None,
        {"source": "no type"},
        {"cell_type": "code"},
        {"cell_type": "code", "source": ["d", 4, None]},
        {"cell_type": "code", "source": {"e": 5}},
    ]
    data = json.dumps({"cells": cells, "metadata": "wrong"}).encode()
    want = ["a = 1\nb = 2", "c = 3", "", "d", ""]
    assert notebook_cells(data) == want
    assert notebook_cells(b"\xef\xbb\xbf" + data) == want


def test_a_half_character_can_still_be_encoded():
    (source,) = notebook_cells(
        b'{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}'
    )
    assert source == "x = '?'"


def test_bounds_on_code():
    many = notebook_cells(
        json.dumps(
            {"cells": [{"cell_type": "code", "source": "1"}] * 2000}
        ).encode()
    )
    assert len(many) == 2000
    with pytest.raises(NotANotebook) as reason:
        notebook_cells(
            json.dumps(
                {"cells": [{"cell_type": "code", "source": "1"}] * 2001}
            ).encode()
        )
    assert str(reason.value) == (
        "The notebook has 2,001 code cells and at most 2,000 are read: remove "
        "those that are not needed."
    )
    with pytest.raises(NotANotebook) as reason:
        notebook_cells(notebook("x" * 1_000_001))
    assert str(reason.value) == (
        "Code cell 1 holds 1,000,001 characters and at most 1,000,000 are "
        "read: keep data out of the code."
    )


def test_a_class_is_read_quickly(tmp_path):
    data = notebook("x", padding="y" * 200_000)
    files = {
        f"S{n}_{n}_assignsubmission_file_/{GOOD}": data for n in range(200)
    }
    (tmp_path / "class.zip").write_bytes(zipped(files))
    start = time.process_time()
    assert len(collect(tmp_path / "class.zip", ONE).submissions) == 200
    assert time.process_time() - start < 3


def test_outputs_of_a_large_notebook_are_not_kept(tmp_path):
    notebook = json.loads(NOTEBOOK)
    notebook["cells"][0]["outputs"] = [{"data": "x" * 1_000_000}]
    data = json.dumps(notebook).encode()
    (tmp_path / "anna.ipynb").write_bytes(data)
    (got,) = collect(tmp_path, ONE).submissions
    assert len(got.notebook) < 10_000
    assert got.digest == hashlib.sha256(data).hexdigest()
    assert notebook_cells(got.notebook) == notebook_cells(data)
