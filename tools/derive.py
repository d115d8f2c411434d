"""Make the students' notebooks in exercises/ from the masters in solutions/.

    python -m tools.derive [--check]

A line between BEGIN SOLUTION and END SOLUTION becomes a stub: the cell's own
(`attnbook.stub` in its metadata) or, inside a function, NotImplementedError,
and for a variable None. Checks lose their `strict`. Cells tagged
`solution-only` are left out; so are outputs and nbgrader's metadata.
`--check` names the files that are stale.
"""

import argparse
import copy
import sys
from pathlib import Path

import nbformat

from attnbook.grading.stubs import student_cells
from tools.notebooks import ROOT, find, normalise, read, write


def student_version(master) -> nbformat.NotebookNode:
    """The notebook that a student gets; the master is left as it is."""
    notebook = copy.deepcopy(master)
    notebook.cells = student_cells(notebook.cells)
    for cell in notebook.cells:
        cell.source = cell.source.replace(", strict=True)", ")")
        cell.metadata.pop("nbgrader", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("attnbook", None)
    normalise(notebook)
    return notebook


def target(master: Path) -> Path:
    return ROOT / "exercises" / master.relative_to(ROOT / "solutions")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    masters = find(folders=("solutions",))
    stale = []
    for master in masters:
        fresh, path = student_version(read(master)), target(master)
        text = nbformat.writes(fresh) + "\n"
        if not path.exists() or path.read_text("utf8") != text:
            stale.append(path.relative_to(ROOT).as_posix())
            if not options.check:
                write(fresh, path)
    left = {target(m) for m in masters}
    orphans = [p for p in find(folders=("exercises",)) if p not in left]
    if options.check and (stale or orphans):
        names = stale + [p.relative_to(ROOT).as_posix() for p in orphans]
        sys.exit(f"Stale: {', '.join(names)}. Run: make exercises")
    for path in orphans:
        path.unlink()
    print(f"{len(masters)} exercise notebooks, {len(stale)} changed.")


if __name__ == "__main__":
    main()
