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
import re
import sys
from pathlib import Path

import nbformat

from tools.notebooks import ROOT, find, normalise, read, tags, write

BLOCK = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION[ \t]*\n?",
    re.MULTILINE | re.DOTALL,
)
VARIABLE = re.compile(r"^(\w+) = ", re.MULTILINE)


def stub(match: re.Match) -> str:
    """What stands where a solution stood."""
    indent, body = match.groups()
    if indent:
        return f'{indent}raise NotImplementedError("write this body")\n'
    names = VARIABLE.findall(body)
    return "".join(f"{name} = None  # your answer\n" for name in names)


def student_version(master) -> nbformat.NotebookNode:
    """The notebook that a student gets; the master is left as it is."""
    notebook = copy.deepcopy(master)
    notebook.cells = [
        c for c in notebook.cells if "solution-only" not in tags(c)
    ]
    for cell in notebook.cells:
        own = cell.metadata.get("attnbook", {}).get("stub")
        cell.source = own or BLOCK.sub(stub, cell.source).rstrip("\n")
        cell.source = cell.source.replace(", strict=True)", ")")
        for key in ("nbgrader", "attnbook"):
            cell.metadata.pop(key, None)
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
