"""Files of a class, for tests of how they are collected."""

import io
import json
import zipfile

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
