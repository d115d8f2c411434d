"""The Triton kernels, run by Triton's interpreter and compiled for a GPU.

The interpreter must be chosen before Triton is imported: a process of its own.
"""

import os
import subprocess
import sys

import pytest
import torch

from attnbook.nn import triton_flash
from tests.needs import needs
from tools import gpu

needs_triton = needs("the package triton")

CASES = """\
37 16 0 16 16 float32
37 16 1 16 16 float32
64 32 1 16 32 float32
70 16 1 32 16 float32
1 16 1 16 16 float32
33 16 1 16 16 float16"""  # n, d, causal, rows, columns, type

INTERPRETED = """
import sys
import torch
from torch.nn import functional as F
from attnbook.nn.triton_flash import flash


def agrees(n, d, causal, rows, columns, kind):
    torch.manual_seed(0)
    u, *given = torch.randn(4, 2, 3, n, d).to(kind).unbind()
    given = [x.requires_grad_() for x in given]
    if kind == torch.float32:
        given[0].data *= 100  # large scores
    ours = flash(*given, causal, {"rows": rows, "columns": columns})
    assert ours.dtype == kind and ours.shape == u.shape
    exact = [x.detach().double().requires_grad_() for x in given]
    want = F.scaled_dot_product_attention(*exact, is_causal=causal)
    pairs = [(ours, want)]
    pairs += zip(torch.autograd.grad((ours * u).sum(), given),
                 torch.autograd.grad((want * u.double()).sum(), exact))
    for a, b in pairs:
        off = (a.double() - b).abs().max() / max(b.abs().max(), 1)
        assert off < (2e-2 if kind == torch.float16 else 2e-4), off


for case in sys.argv[1].splitlines():
    n, d, causal, rows, columns, kind = case.split()
    sizes = int(n), int(d), bool(int(causal)), int(rows), int(columns)
    agrees(*sizes, getattr(torch, kind))
for shape, says in ((1, 5, 9), "power of 2"), ((1, 5, 8), "power of 2"):
    try:
        flash(*torch.ones(3, *shape))
    except ValueError as error:
        assert says in str(error)
    else:
        raise AssertionError(f"{shape} was accepted")
"""


@needs_triton
def test_interpreted_kernels_agree_with_pytorch():
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED, CASES],
        capture_output=True,
        text=True,
        env=os.environ | {"TRITON_INTERPRET": "1"},
        cwd=gpu.ROOT,
    )
    assert done.returncode == 0, done.stderr[-1500:]


COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from attnbook.nn import triton_flash

kinds = dict.fromkeys("q k v out d_out dq dk dv".split(), "*fp16")
kinds |= {"lse": "*fp32", "delta": "*fp32", "n": "i32"}
kinds |= {"scale": "fp32", "root": "fp32"}
known = dict(causal=True, even=True, ROWS=64, COLUMNS=32, d=64)
for name in ("forward_kernel", "keys_kernel", "queries_kernel"):
    kernel = getattr(triton_flash, name)
    names = kernel.arg_names
    source = ASTSource(
        kernel,
        {x: kinds.get(x, "constexpr") for x in names},
        constexprs={(names.index(x),): y for x, y in known.items()},
    )
    made = triton.compile(
        source,
        target=GPUTarget("cuda", 90, 32),
        options={"num_warps": 4, "num_stages": 2},
    )
    assert "wgmma" in made.asm["ptx"] or "mma.sync" in made.asm["ptx"]
    assert made.metadata.shared <= 227 * 1024
"""


@needs_triton
@needs("Linux")
def test_kernels_compile_to_matrix_instructions_of_a_gpu(tmp_path):
    env = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-c", COMPILED],
        capture_output=True,
        text=True,
        env=env | {"TRITON_CACHE_DIR": str(tmp_path)},
        cwd=gpu.ROOT,
    )
    assert done.returncode == 0, done.stderr[-1500:]


def test_without_triton_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(triton_flash, "triton", None)
    with pytest.raises(RuntimeError, match="pip install triton"):
        triton_flash.flash(*torch.ones(3, 1, 4, 16))


def test_the_module_can_be_imported_without_triton():
    code = (
        "import sys; sys.modules['triton'] = None; "
        "from attnbook.nn import triton_flash as t; assert t.triton is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=gpu.ROOT)


@needs_triton
@needs("no GPU")
def test_without_a_gpu_there_is_a_sentence(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(RuntimeError, match="TRITON_INTERPRET=1"):
        triton_flash.flash(*torch.ones(3, 1, 4, 16))
    done = subprocess.run(
        [sys.executable, "-m", "tools.gpu"],
        capture_output=True,
        text=True,
        cwd=gpu.ROOT,
    )
    assert done.returncode == 1 and "no GPU" in done.stderr


def test_the_summary_divides_times_of_equal_cases():
    def row(method, n, forward, kind="fp16"):
        case = {"n": n, "d": 64, "type": kind, "causal": False}
        return case | {"method": method, "forward": forward}

    table = [
        row("Triton", 512, 2.0),
        row("SDPA flash", 512, 1.0),
        row("Triton", 512, 1.0, "bf16"),
        row("SDPA flash", 512, 8.0, "bf16"),
        row("Triton", 1024, 3.0),
        {**row("SDPA flash", 1024, 0), "failed": "no kernel"},
    ]
    del table[-1]["forward"]
    found = gpu.speed_ratios(table, "SDPA flash", "forward", 64)
    assert found == pytest.approx({512: 2.0})  # of 1/2 and 8
    assert gpu.summary(table) == [
        "forward, width 64, speed / SDPA flash's: 512: 2.00"
    ]
