"""Files of a class, for tests of how they are collected."""

import io
import json
import zipfile

from attnbook.grading.intake.collect import collect

ONE = {"2_1": "2_1_queries_keys_values"}
TWO = ONE | {"2_2": "2_2_scaling"}
GOOD = "2_1_queries_keys_values.ipynb"


def notebook(text="x = 1", **more):
    cell = {"cell_type": "code", "source": text}
    return json.dumps({"cells": [cell], "nbformat": 4} | more).encode()


NOTEBOOK = notebook()


def write(folder, files):
    """Files below the folder, by path."""
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def zipped(files, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


WORK = notebook('def needed_score(p, n):\n    return 1\n\ncheck("2_1.c")')
OTHER = notebook('def score_scale(d):\n    return 1\n\ncheck("2_2.c")')
THIRD = notebook('check("2_3.a")')
EMPTY = notebook("x = 1")
SCALING = "2_2_scaling.ipynb"


def taken(source, sheets=ONE, **options):
    """{student: {sheet: notebook, or the sentence that refuses it}}"""
    out = {}
    for s in collect(source, sheets, **options).submissions:
        out.setdefault(s.student, {})[s.sheet] = s.refused or s.notebook
    return out


def of_one(source, **options):
    """{student: notebook or sentence} for sheet 2_1."""
    rows = taken(source, **options)
    return {name: row["2_1"] for name, row in rows.items()}


def fates(source, sheets=ONE, **options):
    """{end of the path: what became of the file}"""
    found = collect(source, sheets, **options).files
    return {f.path.removeprefix(f"{source}/"): f.became for f in found}
