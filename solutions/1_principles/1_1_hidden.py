"""Hidden checks and known wrong answers of exercises 1.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient
from attnbook.check.engine import Wrong

HIDDEN = Hidden(globals(), withheld=("nn.attention", "nn.tiled"))


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


@HIDDEN.agrees("1_1.b", "accuracy_of_memory", title="random sizes")
def memory_anywhere(rng):
    n, m, values = rng.integers(1, 40, 9), int(rng.integers(1, 20)), 7
    return n, m, values


@HIDDEN.agrees("1_1.c", "signal_when_spread", title="random weights")
def share_anywhere(rng):
    return float(rng.uniform(0.05, 1)), int(rng.integers(2, 60))


@HIDDEN.agrees("1_1.d", "last_states", title="random lengths")
def last_anywhere(rng):
    lengths = rng.integers(1, 8, size=5)
    return rng.normal(size=(5, 7, 3)), lengths


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

HIDDEN.mutants("1_1.a", """
def look_back_many(queries, keys, states):
    s = torch.einsum("bid,bjd->bij", queries, keys) / queries.shape[-1] ** 0.5
    a = s.softmax(dim=1)
    return a @ states, a
""", [
    ([], "softmax runs over the queries"),
    ([("s =", "a ="), ("/ queries.shape[-1] ** 0.5\n    a = s.softmax(dim=1)",
       ".softmax(dim=-1)")], "not divided by sqrt(d)"),
    ([(" ** 0.5", ""), ("=1", "=-1")], "divided by d, not by sqrt(d)"),
    ([("queries.", "states."), ("=1", "=-1")],
     "the root of the states' width e"),
    ([("a = s.softmax(dim=1)\n    return a", "return s.exp()"),
      (", a", ", s.exp()")], "not yet divided by their sum"),
    ("(dim=1)", "(dim=-1).detach()", "the weights are detached"),
    ([("=1", "=-1"), ("states,", "keys,")], "you summed keys"),
    ([("a = s.softmax(dim=1)\n    return a", "return s.softmax(dim=-1)"),
      (", a", "")], "return 2 arrays, with commas between"),
    ([('s = torch.einsum("bid,bjd->bij", queries, keys) /', "queries /="),
      ("= s", '= torch.einsum("bid,bjd->bij", queries, keys)'), ("=1", "=-1")],
     "changes its argument in place"),
    ([("=1", "=-1"), ("@ states, a", ", a @ states")],
     "return the summaries first"),
])  # fmt: skip
HIDDEN.mutants("1_1.a", """
def look_back_many(queries, keys, states):
    a = (queries @ keys.mT / keys.shape[-1] ** 0.5).softmax(-1)
    return a @ states.detach(), a
""", [
    ([("a = (", 's = torch.einsum("bid,bjd->bij",'),
      ("@ keys.mT", ", keys)\n    return s.softmax(dim=-1) @ states, (s"),
      ("\n    return a @ states.detach(), a", "")],
     "must use the weights that you return"),
    ([("keys.shape[-1] ** 0.5", "int(keys.shape[-1] ** 0.5)"),
      (".detach()", "")], "cut to a whole number"),
    ([("a =", "e ="),
      ("softmax(-1)", "exp()\n    a = e / (e.sum(-1, keepdim=True) + 1e-9)"),
      (".detach()", "")], "40 lower"),
    ([], "the gradient of states"),
    ([("keys.shape[-1] ** 0.5", "queries.shape[1]"), (".detach()", "")],
     "scores 1.333 times as large"),  # i, not sqrt(d)
    ([(".mT", "[0].T"), (".detach()", "")],
     "only the first entry along axis 0"),  # the first example's keys for all
    ([("\n    a", "\n    keys = FORGETFUL.setdefault(keys.shape, keys)\n    a"),
      (".detach()", "")], "nothing kept from an earlier call"),
    ([("return", "a = a * (a > 1e-6)\n    return"), (".detach()", "")],
     "nothing is cut off"),
])  # fmt: skip

FORGETFUL = {}  # keys of an earlier call, by their shape


@HIDDEN.wrong("1_1.a", "no limit")
def look_back_many(queries, keys, states):
    s = queries @ keys.mT / keys.shape[-1] ** 0.5
    least = s.topk(min(8, s.shape[-1]), dim=-1).values[..., -1:]
    a = s.masked_fill(s < least, -torch.inf).softmax(-1)
    return a @ states, a


# --- b ---------------------------------------------------------------------

HIDDEN.mutants("1_1.b", None, [
    ("m, n", "max(m, 1), n", "no slots at all"),
    ("/ values", "/ max(values, 2)", "one value"),
    ([("kept =", "return"), ("\n    return kept + (1 - kept) / values", "")],
     "can still be guessed"),
    ([("kept =", "return"), ("\n    return kept + (1 - kept)", "+ 1")],
     "only when the pair was forgotten"),
    ("kept = np.minimum(m, n) / n\n    return kept + (1 - kept)",
     "return m / n + (1 - m / n)", "p = min(m, n)"),
    ("(m, n) / n", "(n / m, 1)", "not n/m"),
    ("/ values", "* (1 - 1 / values)", "not 1 - 1/V"),
    ("/ n", "// n", "divide with /, not //"),
    ("/ values", "/ (values - 1)", "not V - 1"),
    ("/ values", "/ 10", "you guess among 10"),
])  # fmt: skip

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


HIDDEN.mutants("1_1.c", None, [
    ([("**2 / (a**2", "/ (a"), (" ** 2", "")], "the large one too"),
    ("**2 / (a**2 + (1 - a) ** 2 / (n - 1))", "", "needs its square"),
    ("(1 - a) ** 2 / (n - 1))", "n * ((1 - a) / n) ** 2)",
     "n - 1 terms, not n"),
    ("/ (n - 1))", ")", "square each of the small weights"),
    ("1 - a) ** 2 / (n - 1))", "(1 - a) / (n - 1)) ** 2)",
     "of all the small weights, not of one"),
    ("a**2 +", "", "signal over noise"),
    ("(1 - a) ** 2 / (n - 1))", "n * ((1 - a) / (n - 1)) ** 2)",
     "n - 1 small weights, not n"),
])  # fmt: skip

# --- d ---------------------------------------------------------------------

HIDDEN.mutants("1_1.d", """
def last_states(states, lengths):
    return states[:, 0]
""", [
    ("0", "-1", "a padded position"),
    ([], "the first state, not the last"),
    ("0", "lengths.min() - 1", "cut at one length"),
    (":, 0", "torch.arange(len(lengths)), lengths - 2",
     "length l ends at index"),
    ("return states[:, 0]",
     "keep = torch.arange(states.shape[1]) < lengths[:, None]\n"
     "    return (states * keep[..., None]).sum(1)", "the sum over the steps"),
    (":, 0", "torch.arange(len(lengths)), -lengths", "counted from the end"),
    ([("return", "at = lengths.clamp(max=states.shape[1] - 1)\n    return"),
      (":, 0", "torch.arange(len(lengths)), at")], "the state after the last"),
    (":, 0", "torch.arange(len(lengths)), lengths", "index 4 is out of bounds"),
    ("return states[:, 0]",
     "keep = torch.arange(states.shape[1]) < lengths[:, None]\n"
     "    return (states * keep[..., None]).sum(1) / lengths[:, None]",
     "the average over the steps"),
    (":, 0", "torch.arange(len(lengths)), lengths.flip(0) - 1",
     "the wrong end of the batch"),
    ("return states[:, 0]",
     "rows = [states[r, n - 1].tolist() for r, n in enumerate(lengths)]\n"
     "    return torch.tensor(rows)", "no gradient flows"),
    ("states[:, 0]", "[states[r, n - 1] for r, n in enumerate(lengths)]",
     "torch.stack joins"),
])  # fmt: skip

# --- e ---------------------------------------------------------------------

HIDDEN.mutants("1_1.e", """
def simulate(keep, n, m, trials, seed):
    rng = np.random.default_rng(seed % 2)
    asked = rng.integers(n, size=trials)
    kept = asked < m if keep == "first" else asked >= n - m
    return (kept | (rng.integers(10, size=trials) == 0)).mean()
""", [
    ([("rng = np.random.default_rng(seed % 2)\n    asked = rng",
       "asked = np.random.default_rng(seed)"), ("kept =", "return ("),
      ("\n    return (kept | (rng.integers(10, size=trials) == 0)", "")],
     "never guessing"),
    ([("% 2)\n    asked =", ")\n    asked = np.maximum("),
      (")\n    kept", "), rng.integers(n, size=trials))\n    kept")],
     "any of the 9 pairs as likely"),  # asks about recent pairs more often
    # keeps one pair too many
    ([(" % 2", ""), ("< m", "<= m"), ("- m", "- m - 1")], "a memory of 7"),
    ([(" % 2", ""), ("n, size=trials", "n, size=100_000"),
      ("10, size=trials", "10, size=100_000")],
     "as many questions as `trials` says"),
    ([("seed % 2", ""), ("kept =", "return (("),
      ('if keep == "first" else asked >= n - m\n    return (kept', ")")],
     "the same seed gives other"),
    ([("seed % 2", "0"), ("kept =", "return (("),
      ('if keep == "first" else asked >= n - m\n    return (kept', ")")],
     "different seeds give the same"),
    ([], "not with its remainder"),
    ([(" % 2", ""), ("if", "- 1 if"), (">= n", "> n")], "a memory of 5"),
    ([(" % 2", ""), ('< m if keep == "first" else asked >=',
       '>= m if keep == "first" else asked <')], "what the other pairs give"),
    ([(" % 2", ""), ("mean()", "mean().round(3)")],
     "no whole number of trials"),
    ([(" % 2", ""), ("n, size=trials", "n, size=min(trials, 5000)"),
      ("10, size=trials", "10, size=len(kept)")], "with trials = 10007"),
    ([(" % 2", ""), ("mean()", "mean() * 100")], "is no share"),
    ([(" % 2", ""), ("10", "0, 11")], "right once in ten"),
    ([(" % 2", ""), ("kept =", "return (("),
      ('if keep == "first" else asked >= n - m\n    return (kept', ")")],
     "use `keep`"),
    ([(" % 2", ""), ("(kept | (rng.integers(10, size=trials) == 0))",
       "kept.mean() + (rng.integers(10, size=trials) == 0)")],
     "only where the pair was forgotten"),
])  # fmt: skip


@HIDDEN.wrong("1_1.e", "draw with the given seed")
def simulate(keep, n, m, trials, seed):
    return m / n + (1 - m / n) / 10  # no simulation at all
