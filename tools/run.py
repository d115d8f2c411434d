"""Execute notebooks in clean kernels and store their normalised outputs.

    python -m tools.run [1_2] [--jobs 2]

Two at a time, one thread each. Writes every notebook's CPU seconds, and its
slowest cell's, to book/status.json, from which the status page is made.
"""

import argparse
import json
import platform
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path

import psutil
from nbclient import NotebookClient
from nbclient.exceptions import (
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)
from tqdm import tqdm

from tools.kernels import prepare
from tools.notebooks import (
    ROOT,
    code_cells,
    executed_hash,
    find,
    normalise,
    read,
    write,
)

STATUS = ROOT / "book" / "status.json"
TIMEOUT = 300  # wall-clock seconds a cell
CELL_SECONDS, NOTEBOOK_SECONDS = 40, 45  # CPU, the budget
LONGER = {  # notebooks that may take more, and why
    "2_5_transformer": 75,  # trains three models of its own, times a fourth
    "3_1_translation": 75,  # the applications train all their models
    "3_2_sentiment": 75,
    "3_3_question_answering": 90,
    "3_4_image_classification": 90,
    "3_5_object_detection": 90,
    "3_6_segmentation": 90,
    "3_7_speech": 90,
    "4_1_multimodal": 90,  # the future directions as well
    "4_2_reinforcement_learning": 75,
    "4_3_interpretability": 75,
    "4_4_acceleration": 75,
}
PACKAGES = ("numpy", "torch", "matplotlib", "jupyter-book", "nbval")


class Clock:
    """CPU seconds of a kernel, cell by cell."""

    def __init__(self):
        self.cells = []

    def start(self, client):
        self.kernel = psutil.Process(client.km.provisioner.pid)
        self.begun = sum(self.kernel.cpu_times()[:2])

    def stop(self):
        self.cells.append(sum(self.kernel.cpu_times()[:2]) - self.begun)


def execute(path: Path) -> dict:
    """Run one notebook from top to bottom; on an error nothing is written."""
    prepare()
    try:
        notebook, clock, before = read(path), Clock(), path.read_bytes()
    except SystemExit as sentence:
        return {"failed": str(sentence)}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.on_cell_execute = lambda **_: clock.start(client)
    client.on_cell_executed = lambda **_: clock.stop()
    try:
        client.execute()
    except CellExecutionError as error:
        number = failed_cell(notebook)
        reason = f"{error.ename}: {error.evalue}".splitlines()[0]
        return {"failed": f"cell {number} ends in {reason}"}
    except CellTimeoutError:
        return {"failed": f"a cell takes more than {TIMEOUT} s"}
    except DeadKernelError:
        return {"failed": "the kernel died (out of memory, or a crash)"}
    if path.read_bytes() != before:
        return {"failed": "it was changed while it ran: nothing is written"}
    normalise(notebook)
    notebook.metadata.setdefault("attnbook", {})
    notebook.metadata.attnbook["executed"] = executed_hash(notebook)
    write(notebook, path)
    return {"cpu": sum(clock.cells), "slowest": max(clock.cells)}


def failed_cell(notebook) -> int:
    """Number of the code cell with an error output, counted from 1."""
    for number, cell in enumerate(code_cells(notebook), 1):
        if any(o.output_type == "error" for o in cell.outputs):
            return number
    return 0


def budget(path: Path) -> int:
    """CPU seconds that a notebook may take."""
    return LONGER.get(path.stem, NOTEBOOK_SECONDS)


def over_budget(path: Path, result: dict) -> str:
    """A sentence if a cell or the notebook takes too long, else nothing."""
    if result["slowest"] > CELL_SECONDS:
        return f"a cell takes {result['slowest']:.0f} of {CELL_SECONDS} CPU s"
    if result["cpu"] > budget(path):
        return f"it takes {result['cpu']:.0f} of {budget(path)} CPU s"
    return ""


def note(path: Path, result: dict, status: dict) -> None:
    """Keep the old times unless they changed by a quarter: quiet diffs."""
    times = status["notebooks"].setdefault(
        path.relative_to(ROOT).as_posix(), {}
    )
    for key in ("cpu", "slowest"):
        old, new = times.get(key), round(result[key], 1)
        if old is None or abs(new - old) > max(0.25 * old, 1.0):
            times[key] = new


def check_place() -> None:
    """One sentence if nothing could be written anyway."""
    try:
        with tempfile.TemporaryFile(dir=ROOT / "book"):
            pass
    except OSError:
        raise SystemExit(
            f"Cannot write to {ROOT}: give yourself write permission there, "
            "or work in a copy of the folder."
        ) from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", nargs="?", help="for example 1_2")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    check_place()
    paths, failures, results = find(options.number), [], {}
    with ProcessPoolExecutor(options.jobs) as pool:
        runs = {pool.submit(execute, path): path for path in paths}
        bar = tqdm(as_completed(runs), total=len(runs), unit="notebook")
        for run in bar:
            path, result = runs[run], run.result()
            if "failed" in result:
                name = path.relative_to(ROOT)
                failures.append(f"{name}: {result['failed']}")
                continue
            results[path] = result
            if over := over_budget(path, result):
                failures.append(f"{path.relative_to(ROOT)}: {over}")
    old = json.loads(STATUS.read_text("utf8")) if STATUS.exists() else {}
    status = {"notebooks": old.get("notebooks", {})}
    for path, result in results.items():
        note(path, result, status)
    status["versions"] = {"python": platform.python_version()}
    status["versions"] |= {name: version(name) for name in PACKAGES}
    text = json.dumps(status, indent=1, sort_keys=True) + "\n"
    STATUS.write_text(text, "utf8")
    for line in failures:
        print(line, file=sys.stderr)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
