"""Run a claim's notebook over its seeds and write the claim's record.

    python -m tools.claims 1_1 [--seeds 10] [--jobs 2]
    python -m tools.claims --check

The notebook is the experiment: papermill runs it once per seed, two at a
time. Where it has a parameter `longer`, it runs once more with `longer = 4`:
the baselines train four times longer on seed 0. `--check` names the records
that no longer fit their code.
"""

import argparse
import ast
import json
import os
import platform
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tqdm import tqdm

from attnbook.measure import RECORDS, Test, judge
from tools.kernels import prepare
from tools.notebooks import (
    DISPLAY,
    ROOT,
    bare,
    code_cells,
    digest,
    find,
    parse,
    read,
    tags,
)
from tools.run import check_place

LONGER = 4
# Draw, check and tell; a verdict is computed again from the record's seeds
# whenever it is tested, so these modules cannot change a result unseen.
NO_RESULT = ("attnbook.plot", "attnbook.check", "attnbook.measure")


def imported(tree: ast.AST) -> set[str]:
    """The attnbook modules that a tree imports."""
    nodes = (n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom))
    names = {n.module for n in nodes if n.module}
    return {
        n for n in names if n.startswith("attnbook.") and n not in NO_RESULT
    }


def module_tree(name: str) -> ast.AST:
    path = ROOT.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text("utf8"))


def code_hash(path: Path) -> str:
    """Of all code that makes a record: the notebook's cells, except those
    tagged `display`, and the package modules behind them."""
    cells = [c for c in code_cells(read(path)) if DISPLAY not in tags(c)]
    trees = [parse(cell) for cell in cells]
    open_names = set().union(*map(imported, trees)) if trees else set()
    modules = {}
    while open_names:
        name = open_names.pop()
        modules[name] = module_tree(name)
        open_names |= imported(modules[name]) - set(modules)
    trees += [modules[name] for name in sorted(modules)]
    return digest("\n".join(map(bare, trees)))


def run_seed(path: Path, seed: int, longer: int) -> list[dict]:
    """Execute the notebook with these parameters; what its claims reported."""
    import papermill  # here: only the workers need it

    with tempfile.TemporaryDirectory() as folder:
        prepare()
        os.environ["ATTNBOOK_SEED_FOLDER"] = folder
        parameters = {"seed": seed}
        if longer > 1:
            parameters["longer"] = longer
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


def trains_longer(path: Path) -> bool:
    """Whether the notebook's parameters include `longer`."""
    cells = [c for c in code_cells(read(path)) if "parameters" in tags(c)]
    return any("longer" in cell.source for cell in cells)


def longer_training(run: dict, tests: list[Test]) -> dict:
    """The baselines' tested numbers after longer training."""
    pairs = sorted({(t.minus, t.metric) for t in tests if t.minus})
    kept = {}
    for model, metric in pairs:
        kept.setdefault(model, {})[metric] = run["metrics"][model][metric]
    return {"times": LONGER, "seed": 0, "metrics": kept}


def record(path: Path, runs: list[dict], long_run: dict | None) -> dict:
    """All that is known about a claim, from the reports of its seeds."""
    claim = runs[0]["claim"]
    tests = [Test(**t) for t in claim["tests"]]
    metrics = gather(runs, "metrics", lambda v: [round(x, 5) for x in v])
    verdict, rows = judge(tests, metrics)
    made = {
        "claim": claim["id"],
        "says": claim["says"],
        "notebook": path.relative_to(ROOT).as_posix(),
        "verdict": verdict,
        "tests": rows,
        "rules": claim["tests"],
        "seeds": list(range(len(runs))),
        "metrics": metrics,
        "parameters": runs[0]["parameters"],
        "cpu_seconds": gather(
            runs, "cpu_seconds", lambda v: round(np.mean(v), 1)
        ),
    }
    if long_run:
        made["longer_training"] = longer_training(long_run, tests)
    names = ("numpy", "torch")
    made["versions"] = {"python": platform.python_version()}
    made["versions"] |= {name: version(name) for name in names}
    made["code"] = code_hash(path)
    return made


def make(path: Path, seeds: int, jobs: int) -> list[str]:
    """Run all seeds of one notebook; write its records; their claims."""
    todo = [(seed, 1) for seed in range(seeds)]
    if trains_longer(path):
        todo.append((0, LONGER))
    done = {}
    with ProcessPoolExecutor(jobs) as pool:
        runs = {pool.submit(run_seed, path, *job): job for job in todo[::-1]}
        bar = tqdm(as_completed(runs), path.stem, len(runs), unit="run")
        for run in bar:
            if run.exception():
                pool.shutdown(cancel_futures=True)
            done[runs[run]] = run.result()
    claims = []
    for k, first in enumerate(done[0, 1]):
        per_seed = [done[seed, 1][k] for seed in range(seeds)]
        long_run = done[0, LONGER][k] if (0, LONGER) in done else None
        made = record(path, per_seed, long_run)
        target = RECORDS / f"{first['claim']['id']}.json"
        target.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
        claims.append(f"{made['claim']}: {made['verdict']}")
    return claims


def stale() -> list[str]:
    """A sentence for every record that its code has left behind."""
    out = []
    for file in sorted(RECORDS.glob("C*.json")):
        made = json.loads(file.read_text("utf8"))
        path = ROOT / made["notebook"]
        if not path.exists():
            out.append(f"{made['claim']}: {made['notebook']} does not exist.")
        elif code_hash(path) != made["code"]:
            number = "_".join(path.stem.split("_")[:2])
            out.append(
                f"{made['claim']}: the record is stale, because the code of "
                f"{made['notebook']} (or of a module it imports) changed; "
                f"renew it with: make claims CHAPTER={number}"
            )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", nargs="?", help="for example 1_1")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.check:
        sentences = stale()
        print("\n".join(sentences) or "Every record fits its code.")
        sys.exit(bool(sentences))
    check_place()
    for path in find(options.number, ("chapters",)):
        print("\n".join(make(path, options.seeds, options.jobs)))


if __name__ == "__main__":
    main()
