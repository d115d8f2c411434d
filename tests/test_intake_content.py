"""Which sheet a notebook is, what is left out, and the account of all."""

import json
import unicodedata
from pathlib import Path

import pytest

from attnbook.grading.intake import bounds, found
from attnbook.grading.intake.collect import collect
from attnbook.grading.intake.found import read_file
from attnbook.grading.intake.sheets import said_in
from attnbook.notebooks.names import number_of, sheets_below
from tests.handed_in import (
    EMPTY,
    GOOD,
    ONE,
    OTHER,
    SCALING,
    THIRD,
    TWO,
    WORK,
    fates,
    of_one,
    taken,
    write,
    zipped,
)

ROOT = Path(__file__).parents[1]
HW = zipped({"hw.ipynb": WORK})
NONE = (
    f"There is no notebook for sheet 2_1 among the 1 handed in: hand in {GOOD},"
    " under this name."
)


def wrong(name, sheet="2_2", asked="2_1", stem=GOOD):
    return (
        f"This is sheet {sheet} ({name}), and {asked} was asked for: hand in "
        f"{stem}."
    )


# --- which sheet it is -----------------------------------------------------


def cells(*sources, kind="code"):
    all_cells = [{"cell_type": kind, "source": s} for s in sources]
    return json.dumps({"cells": all_cells, "nbformat": 4}).encode()


@pytest.mark.parametrize(
    "data, sure",
    [
        (cells('check("2_2.a")'), {"2_2"}),
        (cells("check( '2_2.a' )  # mine"), {"2_2"}),
        (cells("# Exercises 2.2 Scaling", kind="markdown"), {"2_2"}),
        (cells("# 2.2 Scaling", kind="markdown"), set()),
        (cells("def score_scale(d): ...", "softmax_vjp = f"), {"2_2"}),
        (cells("def score_scale(d): ..."), set()),
        (cells("prediction = 1", "score_scale == 2"), set()),
        (cells('check("9_9.a")', 'check("x")'), set()),
        (cells("class MultiHead:", "async def stack(): ..."), {"2_3"}),
    ],
)
def test_what_a_notebook_is_beyond_doubt(data, sure):
    assert said_in(data).surely() == sure


@pytest.mark.parametrize("name", [GOOD, SCALING, "hw.ipynb"])
@pytest.mark.parametrize("place", ["ann/{}", "{}"])
def test_another_sheet_is_refused_and_never_graded(tmp_path, place, name):
    write(tmp_path, {place.format(name): OTHER, f"bo/{GOOD}": WORK})
    got = of_one(tmp_path)
    assert got.pop("bo") == WORK
    assert list(got.values()) == [wrong(name)]


@pytest.mark.parametrize(
    "data",
    [
        cells('check("2_2.a")', "def cross_attention(): ..."),  # some of 2_1
        cells("def my_answer(): ..."),
        cells("def score_scale(): ..."),  # a helper, with a name of 2_2's
        cells(),
        EMPTY,
    ],
)
def test_what_is_not_surely_another_sheet_is_graded(tmp_path, data):
    write(tmp_path, {f"ann/{GOOD}": data, "bo/my own.ipynb": data})
    if b"2_2.a" in data:
        assert of_one(tmp_path)["ann"] == data
    else:
        assert of_one(tmp_path) == {"ann": data, "bo": data}


def test_swapped_names_go_to_their_sheets(tmp_path):
    swapped = {f"ann/{GOOD}": OTHER, f"ann/{SCALING}": WORK}
    write(tmp_path, swapped | {"bo/a.ipynb": OTHER, "bo/b.ipynb": WORK})
    both = {"2_1": WORK, "2_2": OTHER}
    assert taken(tmp_path, TWO) == {"ann": both, "bo": both}


def test_one_sheet_handed_in_twice_is_refused_for_the_other(tmp_path):
    write(tmp_path, {f"ann/{GOOD}": OTHER, f"ann/{SCALING}": OTHER})
    write(tmp_path, {f"bo/{GOOD}": THIRD, f"bo/{SCALING}": OTHER})
    got = taken(tmp_path, TWO)
    assert got["ann"] == {"2_1": wrong(GOOD), "2_2": OTHER}
    assert got["bo"] == {"2_1": wrong(GOOD, "2_3"), "2_2": OTHER}


def test_one_notebook_may_hold_two_sheets(tmp_path):
    both = cells('check("2_1.a")', 'check("2_2.a")')
    write(tmp_path, {"ann/all.ipynb": both, "bo/2_1.ipynb": WORK})
    got = taken(tmp_path, TWO)
    assert got["ann"] == {"2_1": both, "2_2": both}
    assert fates(tmp_path, TWO)["ann/all.ipynb"] == "2_1 and 2_2 of ann"


def test_a_helper_of_another_sheet_makes_no_second_one(tmp_path):
    data = cells(*(f'check("2_2.{x}")' for x in "abc"), "needed_score = 1")
    write(tmp_path, {f"ann/{SCALING}": data})
    assert taken(tmp_path, TWO)["ann"] == {"2_1": NONE, "2_2": data}


STUB = cells('check("2_1.a")')


@pytest.mark.parametrize(
    "files, want",
    [
        ({"Untitled.ipynb": EMPTY, "hw.ipynb": WORK}, WORK),
        ({GOOD: EMPTY, "hw.ipynb": WORK}, WORK),
        ({GOOD: WORK, "scratch.ipynb": WORK}, WORK),
        ({GOOD: WORK, SCALING: OTHER, "2_3.ipynb": THIRD}, WORK),
        ({f"Copy of {GOOD}": WORK}, WORK),
        ({"2_1 (1).IPYNB": WORK, "b.ipynb": EMPTY}, WORK),
        ({"work/x/2_1.ipynb": WORK, "exercises/x/2_1.ipynb": EMPTY}, WORK),
        ({f"work/x/{GOOD}": WORK, f"exercises/x/{GOOD}": STUB}, WORK),
        ({GOOD: b"", "old.ipynb": WORK}, None),
        ({"a.ipynb": WORK, "b.ipynb": WORK}, None),
        ({f".{GOOD}": WORK}, WORK),
    ],
)
def test_content_first_and_the_name_second(tmp_path, files, want):
    write(tmp_path, {f"ann/{name}": data for name, data in files.items()})
    write(tmp_path, {f"bo/{GOOD}": WORK})
    got = of_one(tmp_path)["ann"]
    if want is None:
        want = "The file is empty" if GOOD in files else "There are 2 noteb"
        assert got.startswith(want)
    else:
        assert got == want


def test_a_crowd_of_notebooks_is_told_by_name_alone(tmp_path, monkeypatch):
    write(tmp_path, {f"ann/{n}.ipynb": WORK for n in range(201)})
    write(tmp_path, {f"bo/{GOOD}": WORK, f"cy/{GOOD}": WORK})
    write(tmp_path, {f"cy/{n}.ipynb": EMPTY for n in range(201)})
    got = of_one(tmp_path)
    assert "among the 201 handed in" in got["ann"] and got["cy"] == WORK


# --- one student, or a class -----------------------------------------------


@pytest.mark.parametrize("scratch", ["scratch", "Untitled", "hw", "alice"])
def test_gradescopes_folder_is_one_student(tmp_path, scratch):
    folder = tmp_path / "autograder" / "submission"
    write(folder, {GOOD: WORK, f"{scratch}.ipynb": WORK, "sub/b.ipynb": EMPTY})
    assert of_one(folder) == {GOOD[:-6]: WORK}
    assert fates(folder)[f"{scratch}.ipynb"] == (
        f"of {GOOD[:-6]}, not graded: another notebook was"
    )
    assert collect(folder, ONE).summary() == (
        "3 files: 1 notebook of 1 student, 2 notebooks beside these."
    )


def test_gradescopes_folder_of_one_student_by_its_metadata(tmp_path):
    write(tmp_path, {"submission_metadata.json": b"{}"})
    write(tmp_path / "sub", {"hw.ipynb": WORK, "x.ipynb": EMPTY})
    assert of_one(tmp_path / "sub") == {"sub": WORK}


def test_scratch_beside_a_sheets_own_name_is_no_student(tmp_path):
    write(tmp_path, {GOOD: WORK, "scratch.ipynb": WORK, "a.ipynb": EMPTY})
    assert of_one(tmp_path) == {GOOD[:-6]: WORK}
    write(tmp_path, {"alice.ipynb": WORK, "bob.ipynb": OTHER, "cy.ipynb": b""})
    got = of_one(tmp_path)
    assert set(got) == {GOOD[:-6], "alice", "bob", "cy", "a", "scratch"}
    assert got["bob"] == wrong("bob.ipynb") and "is empty" in got["cy"]


def test_a_class_of_flat_files_stays_a_class(tmp_path):
    write(tmp_path, {"alice.ipynb": WORK, "bob.ipynb": EMPTY})
    write(tmp_path, {"scratch.ipynb": EMPTY})
    got = {"alice": WORK, "bob": EMPTY, "scratch": EMPTY}
    assert of_one(tmp_path) == got


def test_a_class_zip_in_a_folder(tmp_path):
    moodle = {f"A_{n}_assignsubmission_file/x.ipynb": WORK for n in (1, 2)}
    write(tmp_path, {"m/c.zip": zipped(moodle), "m/README.txt": b""})
    assert of_one(tmp_path / "m") == {"A (1)": WORK, "A (2)": WORK}
    two = {"ann/hw.ipynb": WORK, "bo\\hw.ipynb": WORK, "__MACOSX/._x": b""}
    write(tmp_path, {"f/c.zip": zipped({f"all/{k}": two[k] for k in two})})
    assert of_one(tmp_path / "f") == {"ann": WORK, "bo": WORK}
    write(tmp_path, {"s/ann.zip": zipped({"hw/x.ipynb": WORK})})
    assert of_one(tmp_path / "s") == {"ann": WORK}
    assert collect(tmp_path / "m", ONE).summary() == (
        "4 files: 2 notebooks of 2 students, 1 zip, 1 other file."
    )


# --- names -----------------------------------------------------------------


def test_names_in_either_form_of_unicode_are_two_rows(tmp_path):
    form = "Ju\u0308rgen Mu\u0308ller"
    both = (form, unicodedata.normalize("NFC", form))
    write(tmp_path, {f"{name}/{GOOD}": WORK for name in both})
    got = of_one(tmp_path)
    assert len(got) == 2 and all("[" in name for name in got)


def test_a_zip_of_windows_with_spaces_and_backslashes(tmp_path):
    names = "class a\\Ann Lee\\my sheet.IPYNB", "class a\\Bo\\b.ipynb"
    data = zipped(dict.fromkeys(names, WORK))
    (tmp_path / "c.zip").write_bytes(data)
    assert of_one(tmp_path / "c.zip") == {"Ann Lee": WORK, "Bo": WORK}


# --- what is left out ------------------------------------------------------

SCRAPS = {
    ".DS_Store": "a file of macOS beside another",
    ".ipynb_checkpoints/": "the checkpoints of Jupyter",
    ".git/": "the history of git",
    ".venv/": "an environment of Python",
    "env/": "an environment of Python",
    "__MACOSX/": "the resource forks of macOS",
    "._hw.ipynb": "a file of macOS beside another",
    ".~hw.ipynb": "a temporary file of an editor",
    "__pycache__/": "the compiled files of Python",
}


def scraps(folder):
    """Files that programs left, with a notebook in each folder."""
    out = {}
    for name in SCRAPS:
        out[folder + name + "x.ipynb" * name.endswith("/")] = WORK
    return out | {f"{folder}env/pyvenv.cfg": b""}


@pytest.mark.parametrize("folder", ["", "ann/"])
@pytest.mark.parametrize("packed", [False, True])
def test_what_programs_leave_is_accounted_for(tmp_path, folder, packed):
    files = {f"ann/{GOOD}": WORK, ".2fast/hw.ipynb": WORK, ".bo/x.zip": HW}
    files |= scraps(folder) | {".quiet/x.txt": b""}
    source = tmp_path / "class"
    write(source, files)
    if packed:
        source = tmp_path / "c.zip"
        source.write_bytes(zipped(files))
    assert of_one(source) == {"ann": WORK, ".2fast": WORK, ".bo": WORK}
    became = {
        path.removeprefix(f"{source}: "): what
        for path, what in fates(source).items()
    }
    for name, what in SCRAPS.items():
        assert became[folder + name] == what
    assert became[".quiet/x.txt"] == "in a hidden folder without a notebook"
    assert collect(source, ONE).summary() == (
        "8 files: 3 notebooks of 3 students, 1 zip, 4 other files; 6 folders "
        "not looked into."
    )


def test_a_student_with_nothing_but_checkpoints_has_a_row(tmp_path):
    files = {"ann/.ipynb_checkpoints/x.ipynb": WORK, "bo/x.ipynb": WORK}
    (tmp_path / "c.zip").write_bytes(zipped(files))
    write(tmp_path / "class", files)
    for source in (tmp_path / "c.zip", tmp_path / "class"):
        got = of_one(source)
        assert "There is no notebook" in got.pop("ann")
        assert got == {"bo": WORK}


def test_the_graders_own_output_is_no_student(tmp_path):
    write(tmp_path, {f"ann/{GOOD}": WORK, "out/x/2_1.ipynb": WORK})
    for folder in ("grades", "ann/old"):
        write(tmp_path / folder, {"run.json": b"{}", "grades.csv": b""})
        write(tmp_path / folder, {"students/ann/x.ipynb": WORK})
    got = collect(tmp_path, ONE, leave_out=[tmp_path / "ann/../out"])
    assert [s.student for s in got.submissions] == ["ann"]
    ours = "left out: an output folder of this grader"
    assert {
        f.path.removeprefix(f"{tmp_path}/"): f.became for f in got.files
    } == {
        "ann/old/": ours,
        "grades/": ours,
        "out/": "left out: where the grades are written",
        f"ann/{GOOD}": "2_1 of ann",
    }


def test_grades_written_into_the_class_itself(tmp_path):
    write(tmp_path, {f"ann/{GOOD}": WORK, "run.json": b"", "grades.csv": b""})
    write(tmp_path, {"state/x.json": b"", "students/ann/x.html": b""})
    got = collect(tmp_path, ONE, leave_out=[tmp_path])
    assert [s.student for s in got.submissions] == ["ann"]
    assert got.summary() == (
        "3 files: 1 notebook of 1 student, 1 list or page of the LMS, 1 other "
        "file; 2 folders not looked into."
    )


def test_every_file_is_accounted_for_once(tmp_path):
    write(tmp_path, {"ann/2_1.ipynb": WORK, "ann/2_1 b.ipynb": WORK})
    write(tmp_path, {"bo/2_1.ipynb": WORK, "bo/x/notes.ipynb": EMPTY})
    write(tmp_path, {"cy/hw.zip": HW, "dy/hw.zip": b"no", "dy/a.txt": b""})
    write(tmp_path, {"ed/2_1.ipynb": b"", "list.csv": b""})
    deep = "/".join("abcdefghijk")
    write(tmp_path, {f"fy/{deep}/2_1.ipynb": WORK})
    (tmp_path / "gy").symlink_to(tmp_path / "ann")
    got = collect(tmp_path, ONE)
    paths = [f.path for f in got.files]
    assert len(paths) == len(set(paths)) == 12
    assert all(f.became and "\n" not in f.became for f in got.files)
    assert got.summary() == (
        "10 files: 2 notebooks of 2 students, 3 notebooks not graded, 1 "
        "notebook beside these, 2 zips, 2 other files; 2 folders not looked "
        "into."
    )


# --- chapters, doubles, attempts -------------------------------------------


def chapter(number, title, *code):
    text = {"cell_type": "markdown", "source": f"# {number} {title}"}
    code = [{"cell_type": "code", "source": source} for source in code]
    return json.dumps({"cells": [text, *code], "nbformat": 4}).encode()


def test_a_chapter_handed_in_for_its_sheet_is_refused(tmp_path):
    write(tmp_path, {f"ann/{GOOD}": chapter("2.1", "Queries, keys, values")})
    write(tmp_path, {f"bo/{GOOD}": chapter("2.2", "Scaling", "x = 1")})
    mine = chapter("2.1", "Queries, keys, values", 'check("2_1.a")')
    write(tmp_path, {f"cy/{GOOD}": mine})
    write(tmp_path, {f"dy/{GOOD}": chapter("2.1", "My own answers")})
    got = of_one(tmp_path)
    end = f", and sheet 2_1 was asked for: hand in {GOOD}."
    assert got["ann"] == f"This is chapter 2.1 ({GOOD}){end}"
    assert got["bo"] == f"This is chapter 2.2 ({GOOD}){end}"
    assert got["cy"] == mine and got["dy"].startswith(b"{")


def test_a_chapter_that_defines_an_asked_name_is_no_sheet(tmp_path):
    stems = {"2_3": "2_3_masks_and_heads"}
    code = "class MultiHead:\n    pass"
    data = chapter("2.3", "Masks and heads", code)
    write(tmp_path, {"ann/2_3_masks_and_heads.ipynb": data})
    refused = collect(tmp_path, stems).submissions[0].refused
    assert refused.startswith("This is chapter 2.3 (")


def test_the_same_file_in_a_zip_and_beside_it_is_one(tmp_path):
    write(tmp_path, {f"ann/{GOOD}": WORK, "ann/hw.zip": zipped({GOOD: WORK})})
    write(tmp_path, {f"bo/{GOOD}": WORK, "bo/hw.zip": zipped({GOOD: EMPTY})})
    assert of_one(tmp_path) == {"ann": WORK, "bo": WORK}
    became = fates(tmp_path)[f"ann/hw.zip: {GOOD}"]
    assert became == f"the same as {tmp_path}/ann/{GOOD}"


@pytest.mark.parametrize(
    "latest, want",
    [
        (WORK, WORK),
        (EMPTY, STUB),  # what was tried out replaces no answer
        (OTHER, STUB),
        (b"", "The file is empty: save the notebook and hand it in again."),
    ],
)
def test_what_the_latest_attempt_replaces(tmp_path, latest, want):
    form = "1-9 - Al - Oct {}, 2025 900 AM/hw.ipynb"
    write(tmp_path, {form.format(1): STUB, form.format(2): latest})
    assert of_one(tmp_path) == {"Al (1)": want}
    became = fates(tmp_path)
    older = "an older attempt of Al (1), replaced by Oct 2, 2025 900 AM"
    assert (became[form.format(1)] == older) == (want is not STUB)
    assert "older" not in became[form.format(2)]


def test_scratch_beside_the_one_answer(tmp_path):
    write(tmp_path, {"ann/hw.ipynb": WORK, "ann/scratch.ipynb": STUB})
    write(tmp_path, {"bo/hw.ipynb": WORK, "bo/old.ipynb": STUB})
    got = of_one(tmp_path)
    assert got["ann"] == WORK and got["bo"].startswith("There are 2 noteb")


def test_a_class_in_one_folder_may_hold_more_than_a_student(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(bounds, "MAX_STUDENT_FILES", 3)
    names = [f"all/{who}/{n}" for who in ("ann", "bo", "cy") for n in (1, 2)]
    files = dict.fromkeys((f"{name}.ipynb" for name in names), EMPTY)
    files |= {f"all/{who}/{GOOD}": WORK for who in ("ann", "bo", "cy")}
    (tmp_path / "c.zip").write_bytes(zipped(files))
    want = {"ann": WORK, "bo": WORK, "cy": WORK}
    assert of_one(tmp_path / "c.zip") == want


@pytest.mark.parametrize("ending", ["7z", "rar", "tar.gz"])
def test_an_archive_that_is_no_zip_has_a_row(tmp_path, ending):
    write(tmp_path, {f"ann.{ending}": b"7z", "bo.ipynb": WORK})
    write(tmp_path, {f"cy/{GOOD}": WORK, f"cy/data.{ending}": b"7z"})
    got = of_one(tmp_path)
    assert got.pop("ann") == (
        f"ann.{ending} is damaged, or no zip: make it again, or hand in the "
        "notebook itself."
    )
    assert got == {"bo": WORK, "cy": WORK}


@pytest.mark.parametrize("folder", ["chapters", "exercises", "solutions"])
def test_each_notebook_of_the_course_says_which_it_is(folder):
    for path in sheets_below(ROOT / folder):
        says = said_in(path.read_bytes())
        if folder != "chapters":
            assert says.surely() == {number_of(path)}, path
            assert not says.chapter(path.stem), path
        elif path.stem != "4_1_multimodal":  # its title is another
            assert says.chapter(path.stem), path


def test_each_notebook_is_read_once_at_most(tmp_path, monkeypatch):
    write(tmp_path, {GOOD: WORK, "a.ipynb": OTHER, "b.ipynb": EMPTY})
    write(tmp_path, {"cy/x.ipynb": WORK, "cy/y.ipynb": OTHER})
    write(tmp_path, {"dy/hw.zip": HW, f"dy/{GOOD}": EMPTY})
    read = []
    monkeypatch.setattr(
        found,
        "read_file",
        lambda *args: read.append(args[0]) or read_file(*args),
    )
    rows = taken(tmp_path, TWO)
    assert len(read) == len(set(read)) == 7
    assert rows["cy"] == {"2_1": WORK, "2_2": OTHER}
    assert rows["dy"]["2_1"] == WORK
