"""What a run leaves behind: a page and a results.json for each student."""

import json
from pathlib import Path

from attnbook.grading.model import Result
from attnbook.grading.output.page import page
from attnbook.grading.output.results import gradescope
from attnbook.grading.output.tables import write_grades, write_whole
from attnbook.grading.strangers import folder_name


def write_reports(
    folder: Path, results: list[Result], ours: str = ""
) -> list[str]:
    """Write grades.csv, and below students/ a page and a results.json for
    each result; what is to be said of a grades.csv that was there, unless
    its SHA-256 is `ours`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    notes = write_grades(folder / "grades.csv", results, ours)
    for result in results:
        place = folder / "students" / folder_name(result.student)
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / f"{result.sheet}.html", page(result))
        scores = json.dumps(gradescope(result), indent=1) + "\n"
        write_whole(place / f"{result.sheet}.results.json", scores)
        if len(results) == 1:
            write_whole(folder / "results.json", scores)
    return notes
