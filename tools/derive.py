"""Make the students' notebooks in exercises/ from the masters in solutions/.

    python -m tools.derive [--check]

A line between BEGIN SOLUTION and END SOLUTION becomes a stub: the cell's own
(`attnbook.stub` in its metadata) or, inside a function, NotImplementedError,
and for a variable None. Checks lose their `strict`. Cells tagged
`solution-only` are left out; so are outputs and nbgrader's metadata.
`--check` names the files that are stale.

A sheet whose cells are not those that were derived last, of which
exercises/.derived.json keeps a digest, holds somebody's work: it is named and
left as it is, and so is every notebook that was not derived.
"""

import argparse
import copy
import json
import sys
from pathlib import Path

import nbformat

from attnbook.grading.stubs import student_cells
from tools.notebooks import ROOT, digest, find, normalise, read, write

DIGESTS = "exercises/.derived.json"


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


def target(master: Path, root: Path = ROOT) -> Path:
    return root / "exercises" / master.relative_to(root / "solutions")


def cells_digest(notebook) -> str:
    """Of what a person can write: texts, code and what is attached to them,
    not what a run leaves behind."""
    cells = [
        (c.cell_type, c.source, c.get("attachments")) for c in notebook.cells
    ]
    return digest(json.dumps(cells, sort_keys=True))


def remembered(root: Path) -> dict[str, str]:
    """Digests of the sheets as they were derived last, by name."""
    path = root / DIGESTS
    try:
        return json.loads(path.read_text("utf8")) if path.exists() else {}
    except ValueError:
        sys.exit(f"{DIGESTS} is damaged: `git restore {DIGESTS}` mends it.")


def is_changed(path: Path, *derived: str | None) -> bool:
    """Whether the file is there and its cells have none of these digests."""
    if not path.exists():
        return False
    try:
        return cells_digest(read(path)) not in derived
    except SystemExit:
        return True


class Sheets:
    """exercises/ compared with what the masters under `root` derive to."""

    def __init__(self, root: Path = ROOT):
        self.root, self.old = root, remembered(root)
        masters = find(folders=("solutions",), root=root)
        self.fresh = {
            self.name(target(m, root)): student_version(read(m))
            for m in masters
        }
        self.new = {k: cells_digest(v) for k, v in self.fresh.items()}
        self.changed = [
            name
            for name in sorted(self.fresh | self.old)
            if is_changed(root / name, self.new.get(name), self.old.get(name))
        ]
        known = {k: v for k, v in self.old.items() if k in self.changed}
        self.digests = self.new | known

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def stale(self) -> list[str]:
        """Sheets that are not as their master has them, and nobody's work."""
        return [
            name
            for name, notebook in self.fresh.items()
            if name not in self.changed and not self.holds(name, notebook)
        ]

    def holds(self, name: str, notebook) -> bool:
        path = self.root / name
        text = nbformat.writes(notebook) + "\n"
        return path.exists() and path.read_text("utf8") == text

    def orphans(self) -> list[str]:
        """Sheets that were derived, from masters that are gone."""
        gone = self.old.keys() - self.fresh.keys() - set(self.changed)
        return sorted(name for name in gone if (self.root / name).exists())

    def renew(self) -> None:
        """Write what is stale, delete orphans, leave what was changed."""
        for name in self.stale():
            write(self.fresh[name], self.root / name)
        for name in self.orphans():
            (self.root / name).unlink()
        if self.digests != self.old:
            text = json.dumps(self.digests, indent=1, sort_keys=True) + "\n"
            (self.root / DIGESTS).write_text(text, "utf8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    sheets = Sheets()
    stale, count = sheets.stale() + sheets.orphans(), len(sheets.fresh)
    if sheets.digests != sheets.old and not stale and not sheets.changed:
        stale = [DIGESTS]
    if not options.check:
        sheets.renew()
        print(f"{count} exercise notebooks, {len(stale)} changed.")
    elif stale:
        print(
            f"Stale: {', '.join(stale)}. Run: make exercises", file=sys.stderr
        )
    for name in sheets.changed:
        print(
            f"{name} holds changes of yours: it is left as it is. Your own "
            "copy belongs in work/ (`make lab` copies this file there); then "
            f"`git restore {name}` brings the sheet back.",
            file=sys.stderr,
        )
    sys.exit(bool(sheets.changed or options.check and stale))


if __name__ == "__main__":
    main()
