"""Hidden checks and known wrong answers of exercises 1.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient
from attnbook.check.engine import Wrong

HIDDEN = Hidden(withheld=("attention", "tiled"))


def sizes(rng):
    """b, i, j, d, e, all different."""
    return rng.permutation([2, 3, 5, 6, 7])


@HIDDEN.check("1_1.a", "random sizes")
def look_anywhere(answer, rng, reference):
    b, i, j, d, e = sizes(rng)
    args = [rng.normal(size=s) * 3 for s in [(b, i, d), (b, j, d), (b, j, e)]]
    agree(answer, reference, "look_back_many", tuple(args), "random", 2, 1e-5)


@HIDDEN.check("1_1.a", "gradients")
def look_gradient(answer, rng, reference):
    b, i, j, d, e = sizes(rng)
    args = [rng.normal(size=s) for s in [(b, i, d), (b, j, d), (b, j, e)]]
    u = rng.normal(size=(b, i, e))
    agree_in_gradient(answer, reference, "look_back_many", tuple(args), u, 1e-4)


@HIDDEN.check("1_1.b", "random sizes")
def memory_anywhere(answer, rng, reference):
    n, m, values = rng.integers(1, 40, 9), int(rng.integers(1, 20)), 7
    agree(answer, reference, "accuracy_of_memory", (n, m, values), "random")


@HIDDEN.check("1_1.c", "random weights")
def share_anywhere(answer, rng, reference):
    args = (float(rng.uniform(0.05, 1)), int(rng.integers(2, 60)))
    agree(answer, reference, "signal_when_spread", args, "random weight")


@HIDDEN.check("1_1.d", "random lengths")
def last_anywhere(answer, rng, reference):
    lengths = rng.integers(1, 8, size=5)
    args = (rng.normal(size=(5, 7, 3)), lengths)
    agree(answer, reference, "last_states", args, "random lengths")


@HIDDEN.check("1_1.e", "a few trials")
def simulate_few(answer, rng, reference):
    trials, n = int(rng.integers(4, 9)), int(rng.integers(8, 30))
    shares = [
        float(answer.call("simulate", "first", n, n // 2, trials, seed))
        for seed in map(int, rng.integers(1e6, size=8))
    ]
    if not all(abs(trials * x - round(trials * x)) < 1e-6 for x in shares):
        raise Wrong("a few trials: the share is none of so many trials.")
    if len(set(shares)) == 1:
        raise Wrong("a few trials: the share is the same for every seed.")


@HIDDEN.check("1_1.e", "random memories")
def simulate_anywhere(answer, rng, reference):
    keep, n = str(rng.choice(["first", "last"])), int(rng.integers(8, 30))
    args = (keep, n, int(rng.integers(1, n)), 60_000, int(rng.integers(1e6)))
    got, want = (float(a.call("simulate", *args)) for a in (answer, reference))
    if not abs(got - want) <= 0.012:  # nan too
        raise Wrong(f"a random memory: {got:.3f} is off by more than noise.")


# --- a ---------------------------------------------------------------------


@HIDDEN.wrong("1_1.a", "softmax runs over the queries")
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / queries.shape[-1] ** 0.5
    a = s.softmax(dim=1)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "not divided by sqrt(d)")
def look_back_many(queries, keys, states):
    a = torch.einsum("bid,bjd->bij", queries, keys).softmax(dim=-1)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "divided by d, not by sqrt(d)")
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / queries.shape[-1]
    a = s.softmax(dim=-1)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "the root of the states' width e")
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / states.shape[-1] ** 0.5
    a = s.softmax(dim=-1)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "not yet divided by their sum")
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / queries.shape[-1] ** 0.5
    return s.exp() @ states, s.exp()


@HIDDEN.wrong("1_1.a", "the weights are detached")
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / queries.shape[-1] ** 0.5
    a = s.softmax(dim=-1).detach()
    return a @ states, a


@HIDDEN.wrong("1_1.a", "you summed keys")
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / queries.shape[-1] ** 0.5
    a = s.softmax(dim=-1)
    return a @ keys, a


@HIDDEN.wrong("1_1.a", "return 2 arrays, with commas between")
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / queries.shape[-1] ** 0.5
    return s.softmax(dim=-1) @ states


@HIDDEN.wrong("1_1.a", "changes its argument in place")
def look_back_many(queries, keys, states):
    queries /= queries.shape[-1] ** 0.5
    a = torch.einsum("bid,bjd->bij", queries, keys).softmax(dim=-1)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "return the summaries first")
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / queries.shape[-1] ** 0.5
    a = s.softmax(dim=-1)
    return a, a @ states


@HIDDEN.wrong("1_1.a", "must use the weights that you return")
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys)
    return s.softmax(dim=-1) @ states, (s / keys.shape[-1] ** 0.5).softmax(-1)


@HIDDEN.wrong("1_1.a", "cut to a whole number")
def look_back_many(queries, keys, states):
    a = (queries @ keys.mT / int(keys.shape[-1] ** 0.5)).softmax(-1)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "40 lower")
def look_back_many(queries, keys, states):
    e = (queries @ keys.mT / keys.shape[-1] ** 0.5).exp()
    a = e / (e.sum(-1, keepdim=True) + 1e-9)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "the gradient of states")
def look_back_many(queries, keys, states):
    a = (queries @ keys.mT / keys.shape[-1] ** 0.5).softmax(-1)
    return a @ states.detach(), a


@HIDDEN.wrong("1_1.a", "scores 1.333 times as large")
def look_back_many(queries, keys, states):
    a = (queries @ keys.mT / queries.shape[1]).softmax(-1)  # i, not sqrt(d)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "only the first entry along axis 0")
def look_back_many(queries, keys, states):
    # the first example's keys for all
    a = (queries @ keys[0].T / keys.shape[-1] ** 0.5).softmax(-1)
    return a @ states, a


FORGETFUL = {}  # keys of an earlier call, by their shape


@HIDDEN.wrong("1_1.a", "nothing kept from an earlier call")
def look_back_many(queries, keys, states):
    keys = FORGETFUL.setdefault(keys.shape, keys)
    a = (queries @ keys.mT / keys.shape[-1] ** 0.5).softmax(-1)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "no limit")
def look_back_many(queries, keys, states):
    s = queries @ keys.mT / keys.shape[-1] ** 0.5
    least = s.topk(min(8, s.shape[-1]), dim=-1).values[..., -1:]
    a = s.masked_fill(s < least, -torch.inf).softmax(-1)
    return a @ states, a


@HIDDEN.wrong("1_1.a", "nothing is cut off")
def look_back_many(queries, keys, states):
    a = (queries @ keys.mT / keys.shape[-1] ** 0.5).softmax(-1)
    a = a * (a > 1e-6)
    return a @ states, a


# --- b ---------------------------------------------------------------------


@HIDDEN.wrong("1_1.b", "no slots at all")
def accuracy_of_memory(n, m, values):
    kept = np.minimum(max(m, 1), n) / n
    return kept + (1 - kept) / values


@HIDDEN.wrong("1_1.b", "one value")
def accuracy_of_memory(n, m, values):
    kept = np.minimum(m, n) / n
    return kept + (1 - kept) / max(values, 2)


@HIDDEN.wrong("1_1.b", "can still be guessed")
def accuracy_of_memory(n, m, values):
    return np.minimum(m, n) / n


@HIDDEN.wrong("1_1.b", "only when the pair was forgotten")
def accuracy_of_memory(n, m, values):
    return np.minimum(m, n) / n + 1 / values


@HIDDEN.wrong("1_1.b", "p = min(m, n)")
def accuracy_of_memory(n, m, values):
    return m / n + (1 - m / n) / values


@HIDDEN.wrong("1_1.b", "not n/m")
def accuracy_of_memory(n, m, values):
    kept = np.minimum(n / m, 1)
    return kept + (1 - kept) / values


@HIDDEN.wrong("1_1.b", "not 1 - 1/V")
def accuracy_of_memory(n, m, values):
    kept = np.minimum(m, n) / n
    return kept + (1 - kept) * (1 - 1 / values)


@HIDDEN.wrong("1_1.b", "divide with /, not //")
def accuracy_of_memory(n, m, values):
    kept = np.minimum(m, n) // n
    return kept + (1 - kept) / values


@HIDDEN.wrong("1_1.b", "not V - 1")
def accuracy_of_memory(n, m, values):
    kept = np.minimum(m, n) / n
    return kept + (1 - kept) / (values - 1)


@HIDDEN.wrong("1_1.b", "you guess among 10")
def accuracy_of_memory(n, m, values):
    kept = np.minimum(m, n) / n
    return kept + (1 - kept) / 10


# --- c ---------------------------------------------------------------------


SHARES = {
    "not n + 1": lambda a, n: (1 - a) ** 2 / (n + 1),
    "not n - 2": lambda a, n: (n - 2) * ((1 - a) / (n - 1)) ** 2,
    "divided by n - 1, not times": lambda a, n: (1 - a) ** 2 * (n - 1),
    "that is squared, not a": lambda a, n: (1 - a**2) / (n - 1),
    "added up, but not squared": lambda a, n: (1 - a) / (n - 1),
    "that is for 24 pairs": lambda a, n: (1 - a) ** 2 / 23,
    "is something added?": lambda a, n: (1 - a) ** 2 / (n - 1) + 1e-8,
}
for says, noise in SHARES.items():

    @HIDDEN.wrong("1_1.c", says)
    def signal_when_spread(a, n, noise=noise):
        return a**2 / (a**2 + noise(a, n))


@HIDDEN.wrong("1_1.c", "the large one too")
def signal_when_spread(a, n):
    return a / (a + (1 - a) / (n - 1))


@HIDDEN.wrong("1_1.c", "needs its square")
def signal_when_spread(a, n):
    return a


@HIDDEN.wrong("1_1.c", "n - 1 terms, not n")
def signal_when_spread(a, n):
    return a**2 / (a**2 + n * ((1 - a) / n) ** 2)


@HIDDEN.wrong("1_1.c", "square each of the small weights")
def signal_when_spread(a, n):
    return a**2 / (a**2 + (1 - a) ** 2)


@HIDDEN.wrong("1_1.c", "of all the small weights, not of one")
def signal_when_spread(a, n):
    return a**2 / (a**2 + ((1 - a) / (n - 1)) ** 2)


@HIDDEN.wrong("1_1.c", "signal over noise")
def signal_when_spread(a, n):
    return a**2 / ((1 - a) ** 2 / (n - 1))


@HIDDEN.wrong("1_1.c", "n - 1 small weights, not n")
def signal_when_spread(a, n):
    return a**2 / (a**2 + n * ((1 - a) / (n - 1)) ** 2)


# --- d ---------------------------------------------------------------------


@HIDDEN.wrong("1_1.d", "a padded position")
def last_states(states, lengths):
    return states[:, -1]


@HIDDEN.wrong("1_1.d", "the first state, not the last")
def last_states(states, lengths):
    return states[:, 0]


@HIDDEN.wrong("1_1.d", "cut at one length")
def last_states(states, lengths):
    return states[:, lengths.min() - 1]


@HIDDEN.wrong("1_1.d", "length l ends at index")
def last_states(states, lengths):
    return states[torch.arange(len(lengths)), lengths - 2]


@HIDDEN.wrong("1_1.d", "the sum over the steps")
def last_states(states, lengths):
    keep = torch.arange(states.shape[1]) < lengths[:, None]
    return (states * keep[..., None]).sum(1)


@HIDDEN.wrong("1_1.d", "counted from the end")
def last_states(states, lengths):
    return states[torch.arange(len(lengths)), -lengths]


@HIDDEN.wrong("1_1.d", "the state after the last")
def last_states(states, lengths):
    at = lengths.clamp(max=states.shape[1] - 1)
    return states[torch.arange(len(lengths)), at]


@HIDDEN.wrong("1_1.d", "index 4 is out of bounds")
def last_states(states, lengths):
    return states[torch.arange(len(lengths)), lengths]


@HIDDEN.wrong("1_1.d", "the average over the steps")
def last_states(states, lengths):
    keep = torch.arange(states.shape[1]) < lengths[:, None]
    return (states * keep[..., None]).sum(1) / lengths[:, None]


@HIDDEN.wrong("1_1.d", "the wrong end of the batch")
def last_states(states, lengths):
    return states[torch.arange(len(lengths)), lengths.flip(0) - 1]


@HIDDEN.wrong("1_1.d", "no gradient flows")
def last_states(states, lengths):
    rows = [states[r, n - 1].tolist() for r, n in enumerate(lengths)]
    return torch.tensor(rows)


@HIDDEN.wrong("1_1.d", "torch.stack joins")
def last_states(states, lengths):
    return [states[r, n - 1] for r, n in enumerate(lengths)]


# --- e ---------------------------------------------------------------------


@HIDDEN.wrong("1_1.e", "never guessing")
def simulate(keep, n, m, trials, seed):
    asked = np.random.default_rng(seed).integers(n, size=trials)
    return (asked < m if keep == "first" else asked >= n - m).mean()


@HIDDEN.wrong("1_1.e", "any of the 9 pairs as likely")
def simulate(keep, n, m, trials, seed):
    # asks about recent pairs more often
    rng = np.random.default_rng(seed)
    asked = np.maximum(
        rng.integers(n, size=trials), rng.integers(n, size=trials)
    )
    kept = asked < m if keep == "first" else asked >= n - m
    return (kept | (rng.integers(10, size=trials) == 0)).mean()


@HIDDEN.wrong("1_1.e", "a memory of 7")
def simulate(keep, n, m, trials, seed):
    # keeps one pair too many
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=trials)
    kept = asked <= m if keep == "first" else asked >= n - m - 1
    return (kept | (rng.integers(10, size=trials) == 0)).mean()


@HIDDEN.wrong("1_1.e", "as many questions as `trials` says")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=100_000)
    kept = asked < m if keep == "first" else asked >= n - m
    return (kept | (rng.integers(10, size=100_000) == 0)).mean()


@HIDDEN.wrong("1_1.e", "the same seed gives other")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng()
    asked = rng.integers(n, size=trials)
    return ((asked < m) | (rng.integers(10, size=trials) == 0)).mean()


@HIDDEN.wrong("1_1.e", "different seeds give the same")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(0)
    asked = rng.integers(n, size=trials)
    return ((asked < m) | (rng.integers(10, size=trials) == 0)).mean()


@HIDDEN.wrong("1_1.e", "not with its remainder")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed % 2)
    asked = rng.integers(n, size=trials)
    kept = asked < m if keep == "first" else asked >= n - m
    return (kept | (rng.integers(10, size=trials) == 0)).mean()


@HIDDEN.wrong("1_1.e", "a memory of 5")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=trials)
    kept = asked < m - 1 if keep == "first" else asked > n - m
    return (kept | (rng.integers(10, size=trials) == 0)).mean()


@HIDDEN.wrong("1_1.e", "what the other pairs give")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=trials)
    kept = asked >= m if keep == "first" else asked < n - m
    return (kept | (rng.integers(10, size=trials) == 0)).mean()


@HIDDEN.wrong("1_1.e", "no whole number of trials")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=trials)
    kept = asked < m if keep == "first" else asked >= n - m
    return (kept | (rng.integers(10, size=trials) == 0)).mean().round(3)


@HIDDEN.wrong("1_1.e", "with trials = 10007")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=min(trials, 5000))
    kept = asked < m if keep == "first" else asked >= n - m
    return (kept | (rng.integers(10, size=len(kept)) == 0)).mean()


@HIDDEN.wrong("1_1.e", "is no share")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=trials)
    kept = asked < m if keep == "first" else asked >= n - m
    return (kept | (rng.integers(10, size=trials) == 0)).mean() * 100


@HIDDEN.wrong("1_1.e", "right once in ten")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=trials)
    kept = asked < m if keep == "first" else asked >= n - m
    return (kept | (rng.integers(0, 11, size=trials) == 0)).mean()


@HIDDEN.wrong("1_1.e", "use `keep`")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=trials)
    return ((asked < m) | (rng.integers(10, size=trials) == 0)).mean()


@HIDDEN.wrong("1_1.e", "draw with the given seed")
def simulate(keep, n, m, trials, seed):
    return m / n + (1 - m / n) / 10  # no simulation at all


@HIDDEN.wrong("1_1.e", "only where the pair was forgotten")
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed)
    asked = rng.integers(n, size=trials)
    kept = asked < m if keep == "first" else asked >= n - m
    return kept.mean() + (rng.integers(10, size=trials) == 0).mean()
