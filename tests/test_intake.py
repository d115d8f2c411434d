"""The right notebook of the right person, in each LMS's own form of names."""

import unicodedata

import pytest

from attnbook.grading.intake.collect import collect
from tests.handed_in import (
    EMPTY,
    GOOD,
    ONE,
    OTHER,
    SCALING,
    TWO,
    WORK,
    fates,
    notebook,
    of_one,
    taken,
    write,
    zipped,
)


@pytest.fixture
def put(tmp_path):
    """Writes files, all WORK unless told; the folder."""

    def files(*names, **more):
        write(tmp_path, dict.fromkeys(names, WORK) | more)
        return tmp_path

    return files


# --- Canvas ----------------------------------------------------------------

HINDI = "\u0936\u0930\u094d\u092e\u093e\u0905\u0928\u093f\u0924\u093e"


def test_canvas_keeps_marks_in_names_and_both_sheets(tmp_path):
    files = {}
    for number, name in enumerate((HINDI, "mu\u0308ller", "leeann")):
        files[f"{name}_10{number}_900{number}_{GOOD}"] = WORK
        files[f"{name}_LATE_10{number}_910{number}_{SCALING}"] = OTHER
    (tmp_path / "class.zip").write_bytes(zipped(files))
    names = f"{HINDI} (100)", "m\u00fcller (101)", "leeann (102)"
    both = {"2_1": WORK, "2_2": OTHER}
    assert taken(tmp_path / "class.zip", TWO) == dict.fromkeys(names, both)


@pytest.mark.parametrize(
    "names, students",
    [
        (["CS_101_25_alice_2_1", "CS_101_25_bob_2_1"], None),
        (["cs_101_25_alice_2_1", "cs_101_25_bob_2_1"], None),
        (["cs_101_1_alice_2_1", "cs_101_2_bob_2_1"], None),
        (["cs_101_1_ann", "cs_102_2_bo", "cs_103_3_cy"], None),
        (["MATH_200_1_ann", "MATH_200_1_bo"], None),
        (["ML_2026_1_bo_2_1"], None),
        (["2026_10_05_ann_2_1", "2026_10_05_bo_2_1"], None),
        (["ann_2_1_final", "bo_2_1_final"], None),
        (["cs_101_25_alice_2_1"], None),
        (["cy_2_2_scaling", "bo_2_1_x"], None),
        (["ann_2026_11_2_1", "bo_2026_11_2_1"], None),
        (["lee_101_9001_2_1"], ["lee (101)"]),
        (["lee_101_9001_2_1", "li_102_9002_hw"], ["lee (101)", "li (102)"]),
        (["lee_7_9001_2_1", "lee_8_9002_2_1"], ["lee (7)", "lee (8)"]),
        (["anon_a1b2c_9001_2_1"], ["anonymous a1b2c"]),
        (["LATE_anon_a1b2c_9001_2_1"], ["anonymous a1b2c"]),
        (["lee_LATE_101_9001_ann_2_1"], ["lee (101)"]),
        (["o_neil_101_9001_2_1"], ["o_neil (101)"]),
    ],
)
def test_a_courses_code_or_a_date_is_no_canvas(put, names, students):
    folder = put(*(f"{name}.ipynb" for name in names))
    assert of_one(folder) == dict.fromkeys(students or names, WORK)


def test_the_last_of_a_file_uploaded_to_canvas_again(put):
    new = notebook('check("2_1.a")')
    folder = put(
        "lee_101_9001_2_1.ipynb",
        "li_102_9005_2_1.ipynb",
        **{"lee_101_9009_2_1-1.ipynb": new},
    )
    assert of_one(folder) == {"lee (101)": new, "li (102)": WORK}
    fate = fates(folder)["lee_101_9001_2_1.ipynb"]
    assert fate == "an older attempt, replaced by 2_1-1.ipynb"
    summary = collect(folder, ONE).summary()
    assert summary == ("3 files: 2 notebooks of 2 students, 1 older attempt.")


def test_canvas_students_who_handed_in_a_text_have_a_row(put):
    folder = put(
        "lee_101_9001_2_1.ipynb", **{"li_102_text.html": b"", "x.csv": b""}
    )
    assert "no notebook" in of_one(folder).pop("li (102)")
    assert fates(folder)["li_102_text.html"] == (
        "a page of the LMS, of li (102)"
    )


# --- Moodle ----------------------------------------------------------------


@pytest.mark.parametrize(
    "name, student",
    [
        ("Ann Lee_101_assignsubmission_file_/x.ipynb", "Ann Lee (101)"),
        ("Ann Lee_101_assignsubmission_file/sub/x.ipynb", "Ann Lee (101)"),
        ("Ann Lee_101_assignsubmission_file_x.ipynb", "Ann Lee (101)"),
        ("Participant_7_assignsubmission_file_x.ipynb", "Participant (7)"),
        ("ann Ann Lee_101_assignsubmission_file/x.ipynb", "ann Ann Lee (101)"),
        ("Team A_12_assignsubmission_file/x.ipynb", "Team A (12)"),
        ("Default group_assignsubmission_file/x.ipynb", "Default group"),
        (
            "Ann_assignsubmission_file_Lee_101_assignsubmission_file_/x.ipynb",
            "Ann_assignsubmission_file_Lee (101)",
        ),
        (
            "Ann_assignsubmission_file_Lee_101_assignsubmission_file_x.ipynb",
            "Ann_assignsubmission_file_Lee (101)",
        ),
        (
            "Ann_101_assignsubmission_file_Ann_101_assignsubmission_file_x"
            ".ipynb",
            "Ann (101)",
        ),
    ],
)
def test_moodle_names(put, name, student):
    folder = put(name, "Bo_102_assignsubmission_file_/x.ipynb")
    assert of_one(folder) == {student: WORK, "Bo (102)": WORK}


@pytest.mark.parametrize("form", ["{}/x.ipynb", "{}_x.ipynb"])
def test_a_display_name_that_imitates_somebody_else_takes_no_row(put, form):
    ada = "Ada_101_assignsubmission_file_"
    names = [
        form.format(f"{who}_assignsubmission_file") for who in ("Ada_101",)
    ]
    folder = put(
        *names,
        **{form.format(f"{ada}_107_assignsubmission_file"): EMPTY},
    )
    got = of_one(folder)
    assert got.pop("Ada (101)") == WORK
    assert list(got.values()) == [EMPTY]


def test_moodles_text_is_a_page_of_the_same_student(put):
    folder = put(
        "Ann_1_assignsubmission_file/x.ipynb",
        **{"Ann_1_assignsubmission_onlinetext/onlinetext.html": b"hello"},
    )
    assert of_one(folder) == {"Ann (1)": WORK}
    page = fates(folder)["Ann_1_assignsubmission_onlinetext/onlinetext.html"]
    assert page == "a page of the LMS, of Ann (1)"


# --- Brightspace, Blackboard, and others that keep attempts ----------------


LATER = notebook('check("2_1.a")')
TIMES = [  # earlier, later
    ("Oct 10, 2025 1022 AM", "Oct 10, 2025 102 PM"),
    ("Oct 9, 2025 1022 AM", "Oct 10, 2025 1021 AM"),
    ("Dec 31, 2025 1159 PM", "Jan 1, 2026 1200 AM"),
    ("Oct 10, 2025 9_56 AM", "Oct 10, 2025 9_57 AM"),
    ("Oct 10, 2025 9:56\u202fAM", "Oct 10, 2025 12:01\u202fPM"),
    ("10 October, 2025 0956", "10 October, 2025 1356"),
]


@pytest.mark.parametrize("earlier, later", TIMES)
@pytest.mark.parametrize("form", ["{}/hw.ipynb", "{} - hw - 2.ipynb"])
def test_brightspace_keeps_each_attempt(put, earlier, later, form):
    one, two = (
        f"39786-64 - Ann - Lee - {earlier}",
        f"39786-65 - Ann - Lee - {later}",
    )
    other = f"39787-64 - Ann - Lee - {later}"
    folder = put(
        form.format(one),
        form.format(other),
        **{form.format(two): LATER, "index.html": b""},
    )
    assert of_one(folder) == {
        "Ann - Lee (39786)": LATER,
        "Ann - Lee (39787)": WORK,
    }
    became = fates(folder)
    assert became["index.html"] == "a list or page of the LMS"
    when = " ".join(later.split())
    assert became[
        unicodedata.normalize("NFC", " ".join(form.format(one).split()))
    ] == (f"an older attempt of Ann - Lee (39786), replaced by {when}")


def test_brightspace_in_its_zip_with_the_assignments_folder(tmp_path):
    names = "1-9 - Al - Oct 1, 2025 900 AM", "2-9 - Bo - Oct 1, 2025 900 AM"
    files = {f"Exam 1/{name}/hw.ipynb": WORK for name in names}
    data = zipped(files | {"Exam 1/index.html": b""})
    (tmp_path / "exam.zip").write_bytes(data)
    assert of_one(tmp_path / "exam.zip") == {"Al (1)": WORK, "Bo (2)": WORK}


@pytest.mark.parametrize(
    "first, second",
    [
        ("Oct 1, 2025 900 AM", "Oct 1, 2025 9:00 AM"),
        ("1 de octubre 2025", "2 de octubre 2025"),
    ],
)
def test_attempts_that_cannot_be_ordered_are_refused(put, first, second):
    folder = put(f"1-9 - Al - {first}/x.ipynb", f"1-9 - Al - {second}/x.ipynb")
    assert of_one(folder)["Al (1)"] == (
        f"There are 2 attempts ({first} and {second}), and which is the later "
        "one cannot be told: leave one of them, and grade again."
    )


def test_an_attempt_without_this_sheet_replaces_none(put):
    form = "1-9 - Al - Oct {}, 2025 900 AM/{}"
    folder = put(form.format(1, GOOD))
    write(folder, {form.format(2, SCALING): OTHER})
    write(folder, {form.format(3, "thanks.pdf"): b""})
    both = {"Al (1)": {"2_1": WORK, "2_2": OTHER}}
    assert taken(folder, TWO) == both
    assert of_one(folder) == {"Al (1)": WORK}


BLACKBOARD = "{}_{}_attempt_2026-10-0{}-13-37-55"


def blackboard(*attempts_):
    files = {}
    for title, user, day, data in attempts_:
        name = BLACKBOARD.format(title, user, day)
        files |= {f"{name}_hw.ipynb": data, f"{name}.txt": b"Name: ..."}
    return files


def test_blackboard_keeps_each_attempt(put):
    files = blackboard(
        ("Homework 1", "ann", 5, WORK),
        ("Homework 1", "ann", 6, LATER),
        ("Homework 1", "bo", 4, WORK),
    )
    folder = put(**files, **{"README.txt": b""})
    assert of_one(folder) == {"ann": LATER, "bo": WORK}
    assert collect(folder, ONE).summary() == (
        "7 files: 2 notebooks of 2 students, 1 older attempt, 3 lists and "
        "pages of the LMS, 1 other file."
    )


@pytest.mark.parametrize(
    "users, students",
    [
        (("HW_1", "a_lee", "HW_1", "b_lee", "HW_1", "cy"), "a_lee b_lee cy"),
        (("HW a", "lee", "Work b", "lee"), "HW a_lee,Work b_lee"),
        (("HW", "ann"), "ann"),
    ],
)
def test_blackboards_users_are_kept_apart(put, users, students):
    pairs = zip(users[::2], users[1::2])
    folder = put(**blackboard(*((t, u, 1, WORK) for t, u in pairs)))
    names = students.split("," if "," in students else " ")
    assert of_one(folder) == dict.fromkeys(names, WORK)


def test_blackboards_pages_name_the_user(put):
    """Two titles and users with `_`, which the names alone do not tell."""
    rows = [("HW_1", "a_lee", 5, WORK), ("HW_1", "b_lee", 5, WORK)]
    rows += [("HW_2", "a_lee", 6, OTHER), ("HW_2", "b_lee", 6, OTHER)]
    files = blackboard(*rows)
    for title, user, day, _ in rows:
        page = f"{BLACKBOARD.format(title, user, day)}.txt"
        files[page] = f"Name: Lee ({user})\nAssignment: {title}\n".encode()
    both = {"2_1": WORK, "2_2": OTHER}
    assert taken(put(**files), TWO) == {"a_lee": both, "b_lee": both}


def test_blackboards_two_assignments_of_one_student(put):
    files = blackboard(("HW 1", "ann", 5, WORK), ("HW 2", "ann", 6, OTHER))
    assert taken(put(**files), TWO) == {"ann": {"2_1": WORK, "2_2": OTHER}}


def test_teams_keeps_versions_and_working_files(put):
    form = "{} files/Ann Lee/Sheet/{}hw.ipynb"
    folder = put(form.format("Submitted", "Version 9/"))
    write(folder, {form.format("Submitted", "Version 10/"): LATER})
    write(folder, {form.format("Working", ""): EMPTY})
    write(folder, {"Working files/Bo/Sheet/hw.ipynb": EMPTY})
    got = of_one(folder)
    assert "no notebook" in got.pop("Bo")
    assert got == {"Ann Lee": LATER}
    became = fates(folder)
    assert became[form.format("Working", "")] == "a working file in Teams"


def test_sakais_feedback_is_not_handed_in(put):
    form = "Sheet/Lee, Ann({})/{}/hw.ipynb"
    folder = put(
        form.format("al1", "Submission attachment(s)"),
        form.format("al2", "Submission attachment(s)"),
        form.format("al1", "Feedback Attachment(s)"),
        **{"Sheet/grades.csv": b"", "Sheet/Lee, Ann(al1)/timestamp.txt": b""},
    )
    assert of_one(folder) == {"Lee, Ann(al1)": WORK, "Lee, Ann(al2)": WORK}
    assert collect(folder, ONE).summary() == (
        "5 files: 2 notebooks of 2 students, 2 lists and pages of the LMS, 1 "
        "other file."
    )


@pytest.mark.parametrize(
    "names, students",
    [
        (["submitted/ann/2_1/x.ipynb", "submitted/bo/2_1/x.ipynb"], "ann bo"),
        (
            [
                "assignment_1_export/submission_7/x.ipynb",
                "assignment_1_export/submission_8/x.ipynb",
            ],
            "submission_7 submission_8",
        ),
        (["assignment_1_export/submission_7/x.ipynb"], "submission_7"),
        (
            ["hw-submissions/hw-ann/x.ipynb", "hw-submissions/hw-bo/x.ipynb"],
            "hw-ann hw-bo",
        ),
    ],
)
def test_folders_of_nbgrader_gradescope_and_github(put, names, students):
    folder = put(*names, **{names[0].split("/")[0] + "/x.yml": b""})
    assert of_one(folder) == dict.fromkeys(students.split(), WORK)


def test_nbgraders_exchange_keeps_each_attempt(put):
    form = "ann+2_1+2026-10-0{} 12:00:00.000000 UTC+Zm9v/hw.ipynb"
    folder = put(form.format(4), "bo+2_1+2026-10-04 09:00:00 UTC/hw.ipynb")
    write(folder, {form.format(5): LATER})
    assert of_one(folder) == {"ann": LATER, "bo": WORK}


def test_a_list_among_canvas_files_is_no_student(put):
    folder = put("lee_101_9001_hw.ipynb", **{"grades_2026_11_22.csv": b""})
    assert of_one(folder) == {"lee (101)": WORK}


def test_a_folder_for_each_sheet_is_no_student(put):
    folder = put("2_1/ann.ipynb", "2_1/bo.ipynb")
    write(folder, {"2_2_scaling/ann.ipynb": OTHER, "2_2_scaling/x.csv": b""})
    both = {"2_1": WORK, "2_2": OTHER}
    got = taken(folder, TWO)
    assert set(got) == {"ann", "bo"} and got["ann"] == both
    assert of_one(folder) == {"ann": WORK, "bo": WORK}
    write(folder, {GOOD: WORK})
    assert set(of_one(folder)) == {"2_1", "2_2_scaling", GOOD[:-6]}


def test_one_stray_file_does_not_unmake_a_canvas_class(put):
    names = [f"p{n}_10{n}_900{n}_hw.ipynb" for n in range(5)]
    folder = put(*names, "zed_109_9001_hw.ipynb", "p2_102_9002_hw (1).ipynb")
    students = [f"p{n} (10{n})" for n in (0, 2, 3, 4)]
    students += ["p1_101_9001_hw", "zed_109_9001_hw"]
    assert of_one(folder) == dict.fromkeys(students, WORK)


def test_of_a_whole_nbgrader_course_the_submitted_are_taken(put):
    form = "{}/ann/2_1/x.ipynb"
    folder = put(form.format("submitted"), form.format("autograded"))
    write(folder, {"submitted/bo/2_1/x.ipynb": WORK, "gradebook.db": b""})
    write(folder, {"source/2_1/x.ipynb": LATER, "release/2_1/x.ipynb": LATER})
    assert of_one(folder) == {"ann": WORK, "bo": WORK}
    became = fates(folder)["source/2_1/x.ipynb"]
    assert became == "left out: it is not in submitted/"
