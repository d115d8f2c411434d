"""Read, hash and normalise notebooks: the one place that knows their form."""

import ast
import hashlib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("chapters", "solutions")  # executed, outputs committed
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
DISPLAY = "display"  # tag: draws or prints, later cells do not need it


def find(wanted: str | None = None, folders=FOLDERS) -> list[Path]:
    """Notebooks, all or those whose name starts with a number like 1_2."""
    found = sorted(p for f in folders for p in (ROOT / f).glob("*/*.ipynb"))
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
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def code_cells(notebook) -> list:
    """The code cells that hold code, in order."""
    cells = (c for c in notebook.cells if c.cell_type == "code")
    return [c for c in cells if c.source.strip()]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def executed_hash(notebook) -> str:
    """Of the code as it stood when the notebook was executed."""
    return digest("\n\x00".join(c.source for c in code_cells(notebook)))


def parse(cell) -> ast.Module:
    """A cell's syntax tree, without IPython's magics."""
    lines = cell.source.splitlines()
    kept = (x for x in lines if not x.startswith(("%", "!")))
    return ast.parse("\n".join(kept))


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
