"""What stands in a student's notebook where the master has an answer.

Pure text: needs neither nbformat nor nbgrader, whose notebooks are dicts too.
"""

import copy
import re

from attnbook.notebooks.cells import tags

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


def student_cells(cells: list) -> list:
    """A master's cells as a student gets them; the master's stay as they are.

    A solution becomes the cell's own stub (`attnbook.stub` in its metadata)
    or that of `stub`; cells tagged `solution-only` are left out. Outputs,
    nbgrader's metadata and a check's `strict` are left to the caller.
    """
    kept = [
        copy.deepcopy(cell)
        for cell in cells
        if "solution-only" not in tags(cell)
    ]
    for cell in kept:
        own = cell["metadata"].pop("attnbook", {}).get("stub")
        cell["source"] = own or BLOCK.sub(stub, cell["source"]).rstrip("\n")
    return kept
