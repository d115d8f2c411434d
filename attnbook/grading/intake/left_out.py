"""What programs leave in folders: nobody's work, and never looked into.

A student's own folder may start with a dot, so a dot alone says nothing:
only names that a known program makes are left out, by name or by what lies
in the folder.
"""

import re

PROGRAMS = {
    ".ipynb_checkpoints": "the checkpoints of Jupyter",
    ".virtual_documents": "the virtual documents of Jupyter",
    ".jupyter": "the settings of Jupyter",
    ".ipython": "the settings of IPython",
    "__pycache__": "the compiled files of Python",
    "node_modules": "the packages of a program",
    "site-packages": "the packages of a program",
    "__MACOSX": "the resource forks of macOS",
    ".git": "the history of git",
    ".github": "the workflows of GitHub",
    ".svn": "the history of Subversion",
    ".hg": "the history of Mercurial",
    ".venv": "an environment of Python",
    ".conda": "an environment of conda",
    ".vscode": "the settings of an editor",
    ".idea": "the settings of an editor",
    "$RECYCLE.BIN": "the bin of Windows",
    "System Volume Information": "a folder of Windows",
}
ENDINGS = {  # of names whose start varies
    r"\.(Trash|Trashes|Trash-\d+)": "the bin of this system",
    r"\.\w+_cache|\.cache|\.tox|\.nox|\.npm|\.config|\.local": "the cache or "
    "the settings of a program",
    r"\.Spotlight-V\d+|\.fseventsd|\.TemporaryItems|\.DocumentRevisions-V\d+": (
        "an index of macOS"
    ),
}
SCRAPS = {  # files
    r"\._.*|\.DS_Store|\.localized|\.apdisk": "a file of macOS beside another",
    r"\.~.*|~\$.*|\.#.*|\..*\.sw[a-p]": "a temporary file of an editor",
    r"Thumbs\.db|desktop\.ini": "a file of Windows",
}
OURS = "left out: an output folder of this grader"


def no_work(name: str, inside: set[str] | None = None) -> str:
    """What this file, or folder with these names `inside`, is of a program;
    empty if it may be somebody's work."""
    if inside is None:
        return fitting(SCRAPS, name)
    if is_output(inside):
        return OURS
    if "pyvenv.cfg" in inside or "conda-meta" in inside:
        return "an environment of Python"
    return PROGRAMS.get(name) or fitting(ENDINGS, name)


def fitting(patterns: dict[str, str], name: str) -> str:
    for pattern, what in patterns.items():
        if re.fullmatch(pattern, name):
            return what
    return ""


def is_output(names: set[str]) -> bool:
    """Whether a folder with these names is what `attnbook grade` wrote."""
    return "run.json" in names and bool({"state", "grades.csv"} & names)


def own_parts(names: set[str]) -> dict[str, str]:
    """Folders at the source that are this grader's, if it wrote there."""
    if not is_output(names):
        return {}
    return dict.fromkeys({"state", "students"} & names, OURS)
