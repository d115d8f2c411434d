"""Run a claim's notebook over its seeds and write the claim's record.

    python -m tools.claims 1_1 [--seeds 10] [--jobs 2]
    python -m tools.claims --check
    python -m tools.claims --verify 7 [--part 1/3]

The notebook is the experiment: papermill runs it once per seed, two at a
time. Where it has a parameter `longer`, it runs once more with `longer = 4`:
the baselines train four times longer on seed 0. Where it has a parameter
`everything`, the seeds run with `everything = True`, and a reader's run may do
less. `--check` names the records
that are missing or no longer fit their code; `--verify 7` runs seed 7 of each
again and compares, with `--part 1/3` of every third notebook from the first.
"""

import argparse
import json
import math
import os
import platform
import re
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import numpy as np
from tqdm import tqdm

from attnbook.claims.claim import FOLDER, assert_inside
from attnbook.claims.prediction import Prediction, judge
from attnbook.claims.record import FILES, RECORDS, Record, is_as_written
from attnbook.notebooks.cells import tags
from tools.code_hash import code_hash
from tools.kernels import prepare
from tools.notebooks import ROOT, code_cells, find, number, read
from tools.run import check_place

LONGER = 4


def run_seed(path: Path, parameters: dict) -> list[dict]:
    """Execute the notebook with these parameters; what its claims reported."""
    import papermill  # here: only the workers need it

    with tempfile.TemporaryDirectory() as folder:
        prepare()
        os.environ[FOLDER] = folder
        try:
            papermill.execute_notebook(
                path,
                None,
                parameters=parameters,
                cwd=path.parent,
                kernel_name="python3",
                progress_bar=False,
            )
        except papermill.PapermillExecutionError as error:
            raise SystemExit(
                f"{path.name} with {parameters} ends in {error.ename}: "
                f"{error.evalue} (cell {error.exec_count}); no record written."
            ) from None
        files = sorted(Path(folder).glob("*.json"))
        return [json.loads(f.read_text("utf8")) for f in files]


def gather(runs: list[dict], key: str, pick=list) -> dict:
    """Per model (and metric): `pick` of the values of all runs."""
    out = {}
    for model, value in runs[0][key].items():
        if isinstance(value, dict):
            out[model] = {
                m: pick([r[key][model][m] for r in runs]) for m in value
            }
        else:
            out[model] = pick([r[key][model] for r in runs])
    return out


def has_parameter(path: Path, name: str) -> bool:
    """Whether the notebook's parameters include this one."""
    cells = [c for c in code_cells(read(path)) if "parameters" in tags(c)]
    return any(f"{name} =" in cell.source for cell in cells)


def longer_training(run: dict, usual: dict) -> dict:
    """What models reach after longer training, but for those that the
    notebook trains no longer: their numbers are the usual ones."""
    kept = {
        model: {k: float(f"{x:.6g}") for k, x in values.items()}
        for model, values in run["metrics"].items()
        if values != usual["metrics"][model]
    }
    return {"times": LONGER, "seed": 0, "metrics": kept}


def record_of(path: Path, runs: list[dict], long_run: dict | None) -> Record:
    """All that is known about a claim, from the reports of its seeds."""
    claim, parts = runs[0]["claim"], {}
    predictions = tuple(Prediction(**x) for x in claim["predictions"])
    metrics = gather(runs, "metrics", lambda v: [float(f"{x:.6g}") for x in v])
    verdict, tests = judge(predictions, metrics)
    if long_run and not claim["times"]:  # nothing was trained for times
        parts["longer_training"] = longer_training(long_run, runs[0])
    if claim["times"]:
        parts["machine"] = machine()
    names = ("numpy", "torch")
    return Record(
        claim=claim["id"],
        says=claim["says"],
        notebook=path.relative_to(ROOT).as_posix(),
        verdict=verdict,
        tests=tests,
        predictions=predictions,
        seeds=list(range(len(runs))),
        metrics=metrics,
        parameters=runs[0]["parameters"],
        cpu_seconds=gather(
            runs, "cpu_seconds", lambda v: round(float(np.mean(v)), 1)
        ),
        versions={"python": platform.python_version()}
        | {name: version(name) for name in names},
        code=code_hash(path),
        **parts,
    )


def machine() -> str:
    """What times depend on: processor, cores, version of torch."""
    info = Path("/proc/cpuinfo")
    names = re.findall(
        r"model name\s*:\s*(.+)",
        info.read_text("utf8") if info.exists() else "",
    )
    name = names[0].strip() if names else platform.machine()
    return f"{name}, {os.cpu_count()} cores, torch {version('torch')}"


def runs_of(path: Path, seeds: int) -> dict[tuple[int, int], dict]:
    """Parameters of every run, by its seed and how much longer it trains."""
    more = {"everything": True} if has_parameter(path, "everything") else {}
    runs = {(seed, 1): {"seed": seed} | more for seed in range(seeds)}
    if has_parameter(path, "longer"):
        runs[0, LONGER] = {"seed": 0, "longer": LONGER} | more
    return runs


def make(path: Path, seeds: int, jobs: int) -> list[str]:
    """Run all seeds of one notebook; write its records; their claims."""
    todo, done = runs_of(path, seeds), {}
    with ProcessPoolExecutor(jobs) as pool:
        runs = {
            pool.submit(run_seed, path, todo[job]): job
            for job in list(todo)[::-1]
        }
        bar = tqdm(as_completed(runs), path.stem, len(runs), unit="run")
        for run in bar:
            if run.exception():
                pool.shutdown(cancel_futures=True)
            done[runs[run]] = run.result()
    claims = []
    for k in range(len(done[0, 1])):
        per_seed = [done[seed, 1][k] for seed in range(seeds)]
        long_run = done[0, LONGER][k] if (0, LONGER) in done else None
        made = record_of(path, per_seed, long_run)
        made.write()
        claims.append(f"{made.claim}: {made.verdict}")
    return claims


def stale() -> list[str]:
    """A sentence for every record that is missing, edited, or left behind by
    its code."""
    out, recorded = [], set()
    for file in sorted(RECORDS.glob(FILES)):
        made = Record.read(file)
        recorded.add(made.claim)
        path = ROOT / made.notebook
        renew = f"renew it with: make claims CHAPTER={number(path)}"
        if not path.exists():
            out.append(f"{made.claim}: {made.notebook} does not exist.")
        elif not is_as_written(file):
            out.append(f"{made.claim}: {file.name} was edited by hand; {renew}")
        elif code_hash(path) != made.code:
            out.append(
                f"{made.claim}: the record is stale, because the code of "
                f"{made.notebook} (or what it uses of the package) changed; "
                f"{renew}"
            )
    for path in find(folders=("chapters",)):
        code = "\n".join(cell.source for cell in code_cells(read(path)))
        for claim in sorted(
            set(re.findall(r'id="([BC]\d\d)"', code)) - recorded
        ):
            todo = f"make claims CHAPTER={number(path)}"
            out.append(f"{claim}: no record yet; make it with: {todo}")
    return out


def part(text: str) -> slice:
    """Of "2/3": every third, from the second on."""
    found = re.fullmatch(r"([1-9])/([1-9])", text)
    if not found or found[1] > found[2]:
        raise argparse.ArgumentTypeError(f"say 1/3, 2/3 or 3/3, not {text}")
    return slice(int(found[1]) - 1, None, int(found[2]))


def compared(run: dict, metrics: dict, seed: int) -> tuple[str, bool]:
    """A sentence on a second run of a recorded seed, and whether it agrees by
    what `settle` asks for. (With the same registers, `tools.kernels`, every
    number comes out the same; with others training enlarges a difference.)"""
    pairs = [
        (value, metrics[model][metric][seed])
        for model, values in run["metrics"].items()
        for metric, value in values.items()
    ]
    same = sum(math.isclose(*pair, rel_tol=1e-4) for pair in pairs)
    told = f"{run['claim']['id']}: {same} of {len(pairs)} numbers as recorded"
    try:
        assert_inside(run["metrics"], metrics)
    except AssertionError as error:
        return f"{told}. {error}", False
    return told, True


def verify(seed: int, jobs: int, which: slice = slice(None)) -> bool:
    """Run one recorded seed of every record again; whether all agree."""
    records = [Record.read(f) for f in RECORDS.glob(FILES)]
    metrics = {made.claim: made.metrics for made in records}
    names = sorted({made.notebook for made in records})[which]
    paths = [ROOT / name for name in names]
    with ProcessPoolExecutor(jobs) as pool:
        runs = list(pool.map(run_seed, paths, [{"seed": seed}] * len(paths)))
    told = [
        compared(run, metrics[run["claim"]["id"]], seed)
        for run in chain.from_iterable(runs)
        if run["metrics"] and not run["claim"]["times"]
    ]
    print("\n".join(sentence for sentence, _ in told))
    return all(agrees for _, agrees in told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", nargs="?", help="for example 1_1")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--verify", type=int, metavar="SEED")
    parser.add_argument("--part", type=part, default="1/1", metavar="K/N")
    options = parser.parse_args()
    if options.verify is not None:
        agrees = verify(options.verify, options.jobs, options.part)
        sys.exit(not agrees)
    if options.check:
        sentences = stale()
        print("\n".join(sentences) or "Every record fits its code.")
        sys.exit(bool(sentences))
    check_place()
    for path in find(options.number, ("chapters",)):
        print("\n".join(make(path, options.seeds, options.jobs)))


if __name__ == "__main__":
    main()
