"""Read, hash and normalise notebooks: the one place that knows their form."""

import ast
import hashlib
import os
import shutil
from itertools import groupby
from pathlib import Path

import nbformat

from attnbook.notebooks.cells import without_magics
from attnbook.notebooks.names import by_name, first_pair, is_sheet

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("chapters", "solutions")  # executed, outputs committed
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
DISPLAY = "display"  # tag: draws or prints, later cells do not need it


def is_course_notebook(path: Path, root: Path = ROOT) -> bool:
    """Whether this is a chapter, a master or the sheet of a master, by its
    place and name: 2_1_topic.ipynb. Others are somebody's own."""
    parts = path.relative_to(root).parts
    if len(parts) != 3 or not is_sheet(path):
        return False
    if parts[0] == "exercises":
        return root.joinpath("solutions", *parts[1:]).exists()
    return parts[0] in FOLDERS


def find(
    wanted: str | None = None, folders=FOLDERS, root: Path = ROOT
) -> list[Path]:
    """The course's notebooks, all or those whose name starts with a number
    like 1_2; SystemExit if two of a folder have one number."""
    near = (p for f in folders for p in (root / f).glob("*/*.ipynb"))
    found = sorted(p for p in near if is_course_notebook(p, root))
    refuse_two(found, root)
    if wanted is None:
        return found
    chosen = [
        p for p in found if p.stem == wanted or p.name.startswith(wanted + "_")
    ]
    if not chosen:
        known = sorted(set(map(number, found)))
        raise SystemExit(
            f"There is no notebook {wanted}; there are: {', '.join(known)}."
        )
    return chosen


def refuse_two(paths: list[Path], root: Path) -> None:
    """SystemExit with a sentence if one number has two notebooks in one of
    the folders."""
    by_folder = groupby(paths, lambda path: path.relative_to(root).parts[0])
    for _, found in by_folder:
        if two := first_pair(sorted(found, key=by_name)):
            first, second = (path.relative_to(root) for path in two)
            raise SystemExit(
                f"{first} and {second} have the same number: rename the one "
                "that is not the course's, or move it to work/."
            )


def number(path: Path) -> str:
    """1_2 for 1_2_scores_weights_sum.ipynb."""
    return "_".join(path.stem.split("_")[:2])


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook; SystemExit with one sentence if the file is none."""
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError):
        raise SystemExit(
            f"{path} is not a valid notebook: restore it with git, or open "
            "and save it in JupyterLab."
        ) from None


def write(notebook, path: Path) -> None:
    """All of it or nothing: a kill leaves the old file."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    nbformat.write(notebook, new)
    if path.exists():
        shutil.copymode(path, new)
    os.replace(new, path)


def code_cells(notebook) -> list:
    """The code cells that hold code, in order."""
    cells = (c for c in notebook.cells if c.cell_type == "code")
    return [c for c in cells if c.source.strip()]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def executed_hash(notebook) -> str:
    """Of the code as it stood when the notebook was executed."""
    return digest("\n\x00".join(c.source for c in code_cells(notebook)))


def parse(cell) -> ast.Module:
    """A cell's syntax tree, without IPython's magics."""
    return ast.parse(without_magics(cell.source))


def bare(tree: ast.AST) -> str:
    """The tree as text, docstrings left out: comments and layout are free."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not body:
            continue
        head = body[0]
        if isinstance(head, ast.Expr) and isinstance(head.value, ast.Constant):
            node.body = body[1:] or [ast.Pass()]
    return stable(tree)


def stable(node) -> str:
    """Like ast.dump, but the same text in every version of Python: fields
    that are empty, or that later versions added, are left out."""
    if isinstance(node, list):
        return "[" + ",".join(map(stable, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((k, v) for k, v in ast.iter_fields(node) if v not in (None, []))
    inside = ",".join(f"{k}={stable(v)}" for k, v in fields)
    return f"{type(node).__name__}({inside})"


def merged(outputs: list) -> list:
    """Neighbouring pieces of one stream joined: where it was cut is chance."""
    out = []
    for output in outputs:
        if out and output.get("name", 0) == out[-1].get("name", 1):
            out[-1].text += output.text
        else:
            out.append(output)
    return out


def normalise(notebook) -> None:
    """Drop what a run leaves behind besides its results: times, progress
    bars, versions, the widths of images."""
    for key in list(notebook.metadata):
        if key not in ("attnbook",):
            del notebook.metadata[key]
    notebook.metadata.kernelspec = dict(KERNEL)
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        for key in ("execution", "ExecuteTime", "papermill", "collapsed"):
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        cell.outputs = merged(
            [o for o in cell.outputs if o.get("name") != "stderr"]
        )
        for output in cell.outputs:
            if "metadata" in output:
                output.metadata = {}
