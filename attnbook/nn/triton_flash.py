"""FlashAttention-2 in Triton, forward and backward (chapter 4.4).

Derived in no chapter, but taught in 4.4, which shows them from this file. They
need a GPU, or TRITON_INTERPRET=1 set before this file is imported: then
Triton's interpreter runs them on the CPU, one program after another. Without
Triton the file can be imported, and `flash` says what is missing.

Shapes: q, k, v, out (heads, n, d), a batch counts as more heads; lse (heads,
n) is the base-2 logarithm of each query's sum of exponentials. `scale` is
log2(e) / sqrt(d), so that exp2, the GPU's own, takes the place of exp.
"""

import math
import os
from types import SimpleNamespace

import torch

try:
    import triton
    import triton.language as tl
    from triton import jit
except ModuleNotFoundError:  # the optional extra
    triton, jit = None, lambda function: function
    tl = SimpleNamespace(constexpr=None)

TILES = {"rows": 128, "columns": 64, "warps": 4, "stages": 3}  # on a GPU


@jit
def load_rows(
    base, start, n, even: tl.constexpr, ROWS: tl.constexpr, d: tl.constexpr
):
    """Rows start, start + 1, ... of a matrix (n, d); 0 beyond its end."""
    rows = start + tl.arange(0, ROWS)
    places = base + rows[:, None] * d + tl.arange(0, d)[None, :]
    if even:
        return tl.load(places)
    return tl.load(places, mask=rows[:, None] < n, other=0.0)


@jit
def store_rows(base, start, x, n, ROWS: tl.constexpr, d: tl.constexpr):
    """Write x (ROWS, d) to the rows from `start` on, none beyond the end."""
    rows = start + tl.arange(0, ROWS)
    places = base + rows[:, None] * d + tl.arange(0, d)[None, :]
    x = x.to(base.dtype.element_ty)
    tl.store(places, x, mask=rows[:, None] < n)


@jit
def product(x, y):
    """x y, summed in float32."""
    return tl.dot(x, y, input_precision="ieee")


@jit
def allowed(i, j, n, causal: tl.constexpr):
    """True where key j exists and query i may attend to it."""
    if causal:
        return (j < n) & (j <= i)
    return (j < n) & (i >= 0)


@jit
def add_tile(
    total, norm, top, q_id, k, v, i, start, n, scale,
    causal: tl.constexpr, masked: tl.constexpr, even: tl.constexpr,
    COLUMNS: tl.constexpr, d: tl.constexpr,
):  # fmt: skip
    """One tile of keys into the running softmax (Eq. 4.4.5 to 4.4.7)."""
    k_jd = load_rows(k, start, n, even, COLUMNS, d)
    s_ij = product(q_id, tl.trans(k_jd)) * scale
    if masked:
        j = start + tl.arange(0, COLUMNS)
        legal = allowed(i[:, None], j[None, :], n, causal)
        s_ij = tl.where(legal, s_ij, float("-inf"))
    new_top = tl.maximum(top, tl.max(s_ij, 1))
    p_ij = tl.exp2(s_ij - new_top[:, None])
    old = tl.exp2(top - new_top)
    v_je = load_rows(v, start, n, even, COLUMNS, d)
    total = total * old[:, None] + product(p_ij.to(v_je.dtype), v_je)
    return total, norm * old + tl.sum(p_ij, 1), new_top


@jit
def forward_kernel(
    q, k, v, out, lse, n, scale,
    causal: tl.constexpr, even: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, d: tl.constexpr,
):  # fmt: skip
    """One program: ROWS queries of one head walk over their keys."""
    start, head = tl.program_id(0) * ROWS, tl.program_id(1)
    q, k, v, out = (
        q + head * n * d, k + head * n * d, v + head * n * d, out + head * n * d
    )  # fmt: skip
    i = start + tl.arange(0, ROWS)
    q_id = load_rows(q, start, n, even, ROWS, d)
    top = tl.full((ROWS,), float("-inf"), tl.float32)
    norm = tl.zeros((ROWS,), tl.float32)
    total = tl.zeros((ROWS, d), tl.float32)
    free, end = n // COLUMNS * COLUMNS, n  # keys before `free` need no mask
    if causal:
        free = (start + 1) // COLUMNS * COLUMNS
        end = tl.minimum(start + ROWS, n)
        free = tl.minimum(free, end // COLUMNS * COLUMNS)
    for j in range(0, free, COLUMNS):
        total, norm, top = add_tile(
            total, norm, top, q_id, k, v, i, j, n, scale,
            causal, False, True, COLUMNS, d,
        )  # fmt: skip
    for j in range(free, end, COLUMNS):
        total, norm, top = add_tile(
            total, norm, top, q_id, k, v, i, j, n, scale,
            causal, True, even, COLUMNS, d,
        )  # fmt: skip
    store_rows(out, start, total / norm[:, None], n, ROWS, d)
    tl.store(lse + head * n + i, top + tl.log2(norm), mask=i < n)


@jit
def tile_gradient(
    q_id, k_jd, v_je, do_ie, lse_i, delta_i, i, j, n, scale,
    causal: tl.constexpr,
):  # fmt: skip
    """Weights of a tile, computed again, and dS (Eq. 4.4.10, 4.4.11)."""
    s_ij = product(q_id, tl.trans(k_jd)) * scale
    legal = allowed(i[:, None], j[None, :], n, causal)
    s_ij = tl.where(legal, s_ij, float("-inf"))
    a_ij = tl.exp2(s_ij - lse_i[:, None])
    da_ij = product(do_ie, tl.trans(v_je))
    return a_ij, a_ij * (da_ij - delta_i[:, None])


@jit
def keys_kernel(
    q, k, v, d_out, lse, delta, dk, dv, n, scale, root,
    causal: tl.constexpr, even: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, d: tl.constexpr,
):  # fmt: skip
    """One program: COLUMNS keys of one head, over all queries: dK and dV."""
    start, head = tl.program_id(0) * COLUMNS, tl.program_id(1)
    here = head * n * d
    j = start + tl.arange(0, COLUMNS)
    k_jd = load_rows(k + here, start, n, even, COLUMNS, d)
    v_je = load_rows(v + here, start, n, even, COLUMNS, d)
    dk_jd = tl.zeros((COLUMNS, d), tl.float32)
    dv_je = tl.zeros((COLUMNS, d), tl.float32)
    first = 0
    if causal:
        first = start // ROWS * ROWS  # earlier queries do not see these keys
    for at in range(first, n, ROWS):
        i = at + tl.arange(0, ROWS)
        q_id = load_rows(q + here, at, n, even, ROWS, d)
        do_ie = load_rows(d_out + here, at, n, even, ROWS, d)
        lse_i = tl.load(lse + head * n + i, mask=i < n, other=float("inf"))
        delta_i = tl.load(delta + head * n + i, mask=i < n, other=0.0)
        a_ij, ds_ij = tile_gradient(
            q_id, k_jd, v_je, do_ie, lse_i, delta_i, i, j, n, scale, causal
        )
        dv_je += product(tl.trans(a_ij.to(do_ie.dtype)), do_ie)
        dk_jd += product(tl.trans(ds_ij.to(q_id.dtype)), q_id)
    store_rows(dk + here, start, dk_jd * root, n, COLUMNS, d)
    store_rows(dv + here, start, dv_je, n, COLUMNS, d)


@jit
def queries_kernel(
    q, k, v, d_out, lse, delta, dq, n, scale, root,
    causal: tl.constexpr, even: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, d: tl.constexpr,
):  # fmt: skip
    """One program: ROWS queries of one head, over their keys: dQ."""
    start, head = tl.program_id(0) * ROWS, tl.program_id(1)
    here = head * n * d
    i = start + tl.arange(0, ROWS)
    q_id = load_rows(q + here, start, n, even, ROWS, d)
    do_ie = load_rows(d_out + here, start, n, even, ROWS, d)
    lse_i = tl.load(lse + head * n + i, mask=i < n, other=float("inf"))
    delta_i = tl.load(delta + head * n + i, mask=i < n, other=0.0)
    dq_id = tl.zeros((ROWS, d), tl.float32)
    end = n
    if causal:
        end = tl.minimum(start + ROWS, n)
    for at in range(0, end, COLUMNS):
        j = at + tl.arange(0, COLUMNS)
        k_jd = load_rows(k + here, at, n, even, COLUMNS, d)
        v_je = load_rows(v + here, at, n, even, COLUMNS, d)
        _, ds_ij = tile_gradient(
            q_id, k_jd, v_je, do_ie, lse_i, delta_i, i, j, n, scale, causal
        )
        dq_id += product(ds_ij.to(k_jd.dtype), k_jd)
    store_rows(dq + here, start, dq_id * root, n, ROWS, d)


def settings(n, d, tiles):
    """What every kernel is told about the tiles: keyword arguments."""
    rows, columns = tiles["rows"], tiles["columns"]
    out = {"ROWS": rows, "COLUMNS": columns, "d": d}
    out["even"] = n % rows == 0 and n % columns == 0
    return out | {"num_warps": tiles["warps"], "num_stages": tiles["stages"]}


class TritonAttention(torch.autograd.Function):
    """Launches the kernels: a grid of tiles x heads, one program each."""

    @staticmethod
    def forward(ctx, q, k, v, causal, tiles, back):
        heads, n, d = q.shape
        out, lse = torch.empty_like(q), q.new_empty(heads, n, dtype=torch.float)
        scale = math.log2(math.e) / d**0.5
        grid = (triton.cdiv(n, tiles["rows"]), heads)
        how = settings(n, d, tiles)
        forward_kernel[grid](q, k, v, out, lse, n, scale, causal, **how)
        ctx.save_for_backward(q, k, v, out, lse)
        ctx.causal, ctx.tiles = causal, back
        return out

    @staticmethod
    def backward(ctx, d_out):
        q, k, v, out, lse = ctx.saved_tensors
        (heads, n, d), tiles = q.shape, ctx.tiles
        d_out = d_out.contiguous()
        delta = (d_out.float() * out.float()).sum(dim=-1)
        dq, dk, dv = (torch.empty_like(x) for x in (q, k, v))
        given = q, k, v, d_out, lse, delta
        sizes = n, math.log2(math.e) / d**0.5, d**-0.5, ctx.causal
        how = settings(n, d, tiles)
        grid = (triton.cdiv(n, tiles["columns"]), heads)
        keys_kernel[grid](*given, dk, dv, *sizes, **how)
        grid = (triton.cdiv(n, tiles["rows"]), heads)
        queries_kernel[grid](*given, dq, *sizes, **how)
        return dq, dk, dv, None, None, None


def flash(q, k, v, causal=False, tiles=None, back=None):
    """Attention of (..., n, d) by the kernels; gradients flow.

    `tiles` are those of the forward pass, `back` those of the backward pass,
    dicts like TILES. RuntimeError with a sentence where the kernels cannot
    run; ValueError for shapes they do not know.
    """
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    if triton is None:
        raise RuntimeError("Triton is not installed: pip install triton")
    if not q.is_cuda and not interpreted:
        raise RuntimeError(
            "no GPU: set TRITON_INTERPRET=1 before the first import"
        )
    n, d = q.shape[-2:]
    if q.shape != k.shape or q.shape != v.shape:
        raise ValueError("q, k and v must have one shape (..., n, d)")
    if d < 16 or d & (d - 1) or n < 1:
        raise ValueError(f"d must be a power of 2 from 16 on, not {d}")
    tiles = TILES | (tiles or {})
    flat = [x.reshape(-1, n, d).contiguous() for x in (q, k, v)]
    back = tiles | (back or {})
    return TritonAttention.apply(*flat, causal, tiles, back).view(q.shape)
