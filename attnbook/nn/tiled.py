"""Exact attention in tiles, and a counter of live tensors (chapter 4.4).

Letters: i query, j key, d key width, e value width; one head at a time, so
that a tile stays in the processor's cache.
"""

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def add_keys(state, q_id, k_jd, v_je, hidden=None):
    """Take a tile of keys into the running softmax (Eq. 4.4.5 to 4.4.7).

    state: total (i, e), norm (i, 1), top (i, 1), of which total is changed in
    place; q_id is divided by sqrt(d) already; `hidden` (i, j) is True where a
    query may not attend. Returns the new state.
    """
    total, norm, top = state
    s_ij = q_id @ k_jd.T
    if hidden is not None:
        s_ij.masked_fill_(hidden, -torch.inf)
    new_top = torch.maximum(top, s_ij.amax(dim=1, keepdim=True))
    p_ij = s_ij.sub_(new_top).exp_()
    old = (top - new_top).exp_()
    norm = norm * old + p_ij.sum(dim=1, keepdim=True)
    return total.mul_(old).addmm_(p_ij, v_je), norm, new_top


def cuts(n, size, start=0):
    """Slices of at most `size`, from `start` to n."""
    return [slice(a, min(a + size, n)) for a in range(start, n, size)]


def key_tiles(i, keys, columns, causal=False):
    """The tiles of keys that the queries of slice i need: slices j, each with
    what is hidden, None or (i, j) booleans (Eq. 4.4.9)."""
    for j in cuts(i.stop if causal else keys, columns):
        hidden = None
        if causal and j.stop > i.start + 1:
            rows = torch.arange(i.start, i.stop)[:, None]
            hidden = torch.arange(j.start, j.stop) > rows
        yield j, hidden


def forward_tiles(q, k, v, rows, columns, causal=False):
    """C (i, e) and L (i, 1) of one head, tile by tile (Eq. 4.4.8)."""
    c, lse = q.new_zeros(len(q), v.shape[1]), q.new_empty(len(q), 1)
    for i in cuts(len(q), rows):
        q_id = q[i] * q.shape[1] ** -0.5
        norm = q.new_zeros(len(q_id), 1)
        state = c[i], norm, torch.full_like(norm, -torch.inf)
        for j, hidden in key_tiles(i, len(k), columns, causal):
            state = add_keys(state, q_id, k[j], v[j], hidden)
        c[i].div_(state[1])
        lse[i] = state[2] + state[1].log()
    return c, lse


def backward_tiles(q, k, v, c, lse, dc, rows, columns, causal=False):
    """dQ, dK and dV of one head, tile by tile (Eq. 4.4.10 to 4.4.12)."""
    dq, dk, dv = (torch.zeros_like(x) for x in (q, k, v))
    root, delta = q.shape[1] ** -0.5, (dc * c).sum(dim=1, keepdim=True)
    for i in cuts(len(q), rows):
        for j, hidden in key_tiles(i, len(k), columns, causal):
            a_ij = (q[i] * root) @ k[j].T
            if hidden is not None:
                a_ij.masked_fill_(hidden, -torch.inf)
            a_ij.sub_(lse[i]).exp_()
            dv[j].addmm_(a_ij.T, dc[i])
            ds_ij = (dc[i] @ v[j].T).sub_(delta[i]).mul_(a_ij)
            dq[i].addmm_(ds_ij, k[j], alpha=root)
            dk[j].addmm_(ds_ij.T, q[i], alpha=root)
    return dq, dk, dv


class TiledAttention(torch.autograd.Function):
    """Keeps Q, K, V, C and L for the backward pass, and no weights."""

    @staticmethod
    def forward(ctx, q, k, v, *how):
        parts = [forward_tiles(*one, *how) for one in zip(q, k, v)]
        c, lse = (torch.stack(part) for part in zip(*parts))
        ctx.save_for_backward(q, k, v, c, lse)
        ctx.how = how
        return c

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, dc):
        given = zip(*ctx.saved_tensors, dc)
        parts = [backward_tiles(*one, *ctx.how) for one in given]
        grads = [torch.stack(part) for part in zip(*parts)]
        return *grads, None, None, None


def tiled_attention(q, k, v, causal=False, rows=1024, columns=512):
    """Attention without its weights: q (..., i, d), k (..., j, d), v (..., j,
    e) to (..., i, e), with memory linear in i and j; gradients flow.

    `causal`: query i may attend to keys up to i. ValueError for shapes that
    do not fit, or a causal one with i != j.
    """
    if k.shape[:-1] != v.shape[:-1] or q.shape[:-2] != k.shape[:-2]:
        raise ValueError("q, k and v must agree in heads, k and v in keys")
    if q.shape[-1] != k.shape[-1] or not k.shape[-2]:
        raise ValueError("q and k must have one width, and there must be keys")
    if causal and q.shape[-2] != k.shape[-2]:
        raise ValueError("causal: as many queries as keys")
    heads = [x.reshape(-1, *x.shape[-2:]) for x in (q, k, v)]
    c = TiledAttention.apply(*heads, rows, columns, causal)
    return c.view(*q.shape[:-1], v.shape[-1])


def tensors_of(values):
    """The tensors among (nested) arguments or results."""
    return [x for x in tree_leaves(values) if isinstance(x, torch.Tensor)]


class LiveTensors(TorchDispatchMode):
    """Counts bytes of the tensors that torch makes inside a `with` block.

    `largest` is the largest single one, `peak` the most that were alive at
    the same time. A view shares its memory and counts nothing; what a kernel
    allocates for itself is not seen.
    """

    def __enter__(self):
        self.live = self.peak = self.largest = 0
        self.known = weakref.WeakKeyDictionary()
        return super().__enter__()

    def freed(self, size):
        self.live -= size

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = tensors_of((args, kwargs))
        old = {x.untyped_storage().data_ptr() for x in given}
        result = func(*args, **(kwargs or {}))
        for tensor in tensors_of(result):
            memory = tensor.untyped_storage()
            if memory.data_ptr() in old or memory in self.known:
                continue
            size = self.known[memory] = memory.nbytes()
            weakref.finalize(memory, self.freed, size)
            self.live += size
            self.peak = max(self.peak, self.live)
            self.largest = max(self.largest, size)
        return result
