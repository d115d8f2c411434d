"""Time attention on a GPU and write book/gpu.json (chapter 4.4 shows it).

    python -m tools.gpu [--quick]

Compares the Triton kernels of attnbook.nn.triton_flash with naive attention and
with PyTorch's fused kernels (flash and cuDNN), forward and backward, over
lengths, head widths and 16-bit types; 16,384 tokens in every batch. The file
holds the device, versions and date; the numbers belong to that machine alone.
Every result is checked against naive attention in float32 first.
"""

import argparse
import json
import math
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from attnbook.nn import triton_flash
from tools.notebooks import ROOT

TARGET = ROOT / "book" / "gpu.json"
LENGTHS, WIDTHS, TYPES = (
    [2**k for k in range(9, 15)],
    (64, 128),
    ("fp16", "bf16"),
)
DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}
TOKENS, MODEL = 16_384, 2048  # tokens in a batch; heads times width
TRIED = [  # rows, columns, warps, stages: the fastest is kept
    (128, 64, 4, 3), (128, 64, 8, 3), (128, 128, 8, 2), (64, 64, 4, 3),
    (64, 64, 4, 2), (64, 128, 4, 2), (128, 32, 4, 3), (64, 32, 4, 2),
]  # fmt: skip
Inputs = tuple[Tensor, Tensor, Tensor]


def naive(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> Tensor:
    """Attention that stores its weights."""
    s = q @ k.mT / q.shape[-1] ** 0.5
    if causal:
        n = q.shape[-2]
        late = torch.ones(n, n, dtype=torch.bool, device=q.device).triu(1)
        s = s.masked_fill(late, -torch.inf)
    return s.softmax(dim=-1) @ v


def fused(backend: SDPBackend) -> Callable:
    """PyTorch's attention, with this kernel and no other."""

    def call(q, k, v, causal):
        with sdpa_kernel(backend):
            return F.scaled_dot_product_attention(q, k, v, is_causal=causal)

    return call


def ours(tiles: dict | None = None, back: dict | None = None) -> Callable:
    """The Triton kernels, with these tiles."""

    def call(q, k, v, causal):
        return triton_flash.flash(q, k, v, causal, tiles, back)

    return call


def inputs(n: int, d: int, kind: str) -> Inputs:
    """Queries, keys and values of TOKENS tokens in sequences of n."""
    torch.manual_seed(0)
    shape = max(TOKENS // n, 1), MODEL // d, n, d
    made = torch.randn(3, *shape, device="cuda", dtype=DTYPES[kind])
    return tuple(x.clone().requires_grad_() for x in made)


def milliseconds(call: Callable, rounds: int = 15) -> float:
    """Median time of a call on the GPU, after three that are not counted."""
    for _ in range(3):
        call()
    times = []
    for _ in range(rounds):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return sorted(times)[rounds // 2]


def timed(
    method: Callable, given: Inputs, causal: bool, energy: bool = False
) -> dict | str:
    """Milliseconds of both directions and MiB of memory, or why not."""
    try:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        with torch.no_grad():
            forward = milliseconds(lambda: method(*given, causal))
        most = (torch.cuda.max_memory_allocated() - before) / 2**20
        out = method(*given, causal)
        u = torch.randn_like(out)
        back = milliseconds(
            lambda: torch.autograd.grad(out, given, u, retain_graph=True)
        )
    except (RuntimeError, triton_errors()) as error:  # no memory, no kernel
        torch.cuda.empty_cache()
        return str(error).splitlines()[0][:120]
    made = {"forward": forward, "backward": back, "MiB": round(most, 1)}
    if energy and given[0].shape[-2] == 4096:
        with torch.no_grad():
            made["joules"] = joules(lambda: method(*given, causal))
    return made


def joules(call: Callable, calls: int = 300) -> float | None:
    """Energy of a call by the GPU's own counter; None if it has none that
    can be read, or pynvml (package nvidia-ml-py) is not installed."""
    try:
        import pynvml

        pynvml.nvmlInit()
        which = torch.cuda.current_device()
        gpu = pynvml.nvmlDeviceGetHandleByIndex(which)
        before = pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu)
        for _ in range(calls):
            call()
        torch.cuda.synchronize()
        after = pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu)
    except Exception:  # NVML has errors of its own for whatever is missing
        return None
    return (after - before) / 1000 / calls


def triton_errors() -> type[Exception]:
    """What Triton raises if tiles need more memory than a block has."""
    try:
        from triton.runtime.errors import OutOfResources
    except ModuleNotFoundError:
        return RuntimeError
    return OutOfResources


def best_tiles(d: int, kind: str, causal: bool) -> tuple[dict, dict]:
    """The fastest of TRIED at 4,096 tokens, forward and backward."""
    names, given = ("rows", "columns", "warps", "stages"), inputs(4096, d, kind)
    found = []
    for sizes in TRIED:
        tiles = dict(zip(names, sizes))
        result = timed(ours(tiles), given, causal)
        if isinstance(result, dict):
            found.append((tiles, result))
    if not found:
        sys.exit(f"no tiles of TRIED run here (width {d}, {kind})")
    return tuple(
        min(found, key=lambda x: x[1][way])[0]
        for way in ("forward", "backward")
    )


def largest_error(method: Callable, causal: bool, d: int, kind: str) -> float:
    """Largest difference from naive float32, over values and gradients,
    relative to the largest value."""
    given = [x[:1, :2].detach() for x in inputs(700, d, kind)]
    u, results = torch.randn_like(given[0]), []
    for call, dtype in (method, DTYPES[kind]), (naive, torch.float32):
        x = [y.to(dtype).requires_grad_() for y in given]
        out = call(*x, causal)
        results.append([out, *torch.autograd.grad(out, x, u.to(dtype))])
    off = [
        ((a.float() - b).abs().max() / b.abs().max()).item()
        for a, b in zip(*results)
    ]
    return max(off)


def rows(lengths: list[int]) -> Iterator[dict]:
    """One row per length, width, type, mask and method."""
    for d, kind, causal in product(WIDTHS, TYPES, (False, True)):
        forward, back = best_tiles(d, kind, causal)
        kernels = ours(forward, back)
        off = largest_error(kernels, causal, d, kind)
        if not off < 0.02:
            sys.exit(f"wrong numbers: {off:.3f} at width {d}, {kind}, {causal}")
        methods = {
            "naive": naive,
            "Triton": kernels,
            "SDPA flash": fused(SDPBackend.FLASH_ATTENTION),
            "SDPA cuDNN": fused(SDPBackend.CUDNN_ATTENTION),
        }
        for n in lengths:
            given = inputs(n, d, kind)
            head = {"n": n, "d": d, "type": kind, "causal": causal}
            for name, method in methods.items():
                row = head | {"method": name}
                if name == "Triton":
                    row |= {"tiles": forward, "back": back, "error": off}
                result = timed(method, given, causal, energy=True)
                failed = {"failed": result}
                row |= result if isinstance(result, dict) else failed
                print(row, flush=True)
                yield row


def summary(table: list[dict]) -> list[str]:
    """The lines that the chapter shows: speed of the Triton kernels as a
    multiple of the others', geometric mean over types and both masks, and
    energy where it was measured."""
    out = []
    for name in ("naive", "Triton", "SDPA flash"):
        found = [
            x["joules"]
            for x in table
            if x["method"] == name and x.get("joules")
        ]
        if found:
            mean = sum(found) / len(found)
            out.append(
                f"joules a call at 4,096 tokens, mean, {name}: {mean:.3f}"
            )
    for other, way in product(
        ("naive", "SDPA flash", "SDPA cuDNN"), ("forward", "backward")
    ):
        for d in WIDTHS:
            ratios = speed_ratios(table, other, way, d)
            shown = ", ".join(f"{n}: {x:.2f}" for n, x in ratios.items())
            if shown:
                out.append(f"{way}, width {d}, speed / {other}'s: {shown}")
    return out


def speed_ratios(table: list[dict], other: str, way: str, d: int) -> dict:
    """By length: their time over ours, where both ran."""
    found = {}
    for a, b in product(table, table):
        same = all(a[k] == b[k] for k in ("n", "d", "type", "causal"))
        names = (a["method"], b["method"]) == ("Triton", other)
        if same and names and a["d"] == d and way in a and way in b:
            found.setdefault(a["n"], []).append(math.log(b[way] / a[way]))
    return {n: math.exp(sum(x) / len(x)) for n, x in sorted(found.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two lengths")
    options = parser.parse_args()
    if triton_flash.triton is None:
        sys.exit("Triton is not installed: pip install triton")
    if not torch.cuda.is_available():
        sys.exit("no GPU that PyTorch can use: nothing was timed or written")
    table = list(rows([1024, 4096] if options.quick else LENGTHS))
    made = {
        "device": torch.cuda.get_device_name(),
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "triton": triton_flash.triton.__version__,
        "summary": summary(table),
        "rows": table,
    }
    TARGET.write_text(json.dumps(made, indent=1) + "\n", "utf8")
    print("\n".join(made["summary"]))


if __name__ == "__main__":
    main()
