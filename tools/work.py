"""Give each exercise sheet a copy in work/, to be solved there.

    python -m tools.work

A file that is in work/ already is never touched. If its sheet has changed
since it was copied, a sentence says so, and where the new one is.
"""

import json
import sys
from pathlib import Path

from tools.derive import remembered, target
from tools.notebooks import ROOT, find

ORIGINS = ".origins.json"  # in work/: digests of the sheets when copied


def origins(folder: Path) -> dict[str, str]:
    try:
        return json.loads((folder / ORIGINS).read_text("utf8"))
    except (OSError, ValueError):
        return {}


def copy_once(sheet: Path, path: Path) -> bool:
    """Copy the sheet there, unless there is anything; True if it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(sheet.read_bytes())
    except FileExistsError:
        return False
    return True


def lay_out(root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Names of the sheets that were copied to work/ now, and of those that
    have changed since they were."""
    folder, copied, newer = root / "work", [], []
    known, digests = origins(folder), remembered(root)
    for master in find(folders=("solutions",), root=root):
        sheet = target(master, root)
        if not sheet.exists():
            continue
        name = sheet.relative_to(root / "exercises").as_posix()
        now = digests.get(f"exercises/{name}", "")
        if copy_once(sheet, folder / name):
            known[name] = now
            copied.append(name)
        elif known.setdefault(name, now) != now:
            newer.append(name)
    text = json.dumps(known, indent=1, sort_keys=True) + "\n"
    (folder / ORIGINS).write_text(text, "utf8")
    return copied, newer


def main() -> None:
    try:
        copied, newer = lay_out()
    except OSError as error:
        sys.exit(f"Cannot write to {ROOT / 'work'}: {error.strerror}.")
    print(f"work/ holds your sheets; {len(copied)} were copied there now.")
    for name in newer:
        print(
            f"The sheet {name} has changed since you began: work/{name} stays "
            f"as it is, the new one is exercises/{name}; rename yours, and "
            "`make lab` copies the new one beside it."
        )


if __name__ == "__main__":
    main()
