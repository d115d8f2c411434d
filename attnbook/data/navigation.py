"""Worlds of 8 x 8 cells: reach the landmark you are told, past the hazards.

Source: the book's own; a small relative of the gridworlds of reinforcement
learning textbooks.
Licence: MIT, as the code.
Size: as many worlds as asked for, side by side; 64 worlds make about 100,000
steps a second. In training 2 to 4 landmarks and 4 to 8 hazards each.
How made: agent, landmarks (no two of one colour) and hazards lie on different
cells, drawn anew for each episode; one landmark's colour is told. A step goes
up, down, left or right, and not through the outer wall. An episode ends at the
told landmark (reward 1), on a hazard (-0.5) or after 30 steps; any step that
does neither costs 0.01. Other landmarks do nothing. The agent gets one token
per landmark and hazard, in random order: kind, colour, how far down and right
of the agent, how near. Nearness, 2 to the power of 1 - steps, is
computed for it; so is its product with the direction.
Can show: whether an agent finds what matters now among many things, of
whatever number.
Cannot show: vision, memory, noise: all is seen, at its exact place. A hazard
does not move, and some worlds have no safe path at all.
"""

from typing import NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from numpy import ndarray
from torch import Tensor

SIZE, LIMIT = 8, 30  # cells of a side; steps of an episode
MOVES = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])  # up, down, left, right
COLOURS = "red", "green", "blue", "yellow", "violet", "white"
EMPTY, LANDMARK, HAZARD = 0, 1, 2
FEATURES, OWN = 13, 9  # numbers in a token, numbers about the agent


class Sight(NamedTuple):
    """What the agents of b worlds see."""

    tokens: Tensor  # (b, n, 13): landmark, hazard, colour, offset, nearness
    own: Tensor  # (b, 9): colour told, place, share of time left
    real: Tensor  # (b, n) of bool: False = an empty slot


class Step(NamedTuple):
    """What a move brought about in b worlds."""

    reward: ndarray  # (b,) of float32
    ended: ndarray  # (b,) of bool: reached, died or out of time
    reached: ndarray  # (b,) of bool: at the landmark that was told
    died: ndarray  # (b,) of bool: on a hazard
    distance: ndarray  # (b,) steps to the goal, hazards ignored, after it


def check_range(name: str, pair: tuple, least: int, most: int) -> None:
    """ValueError unless pair is (fewest, most) within these bounds."""
    low, high = pair
    if not least <= low <= high <= most:
        raise ValueError(
            f"{name} is (fewest, most) with {least} <= fewest <= most <= "
            f"{most}, not {pair!r}"
        )


class Worlds:
    """`count` worlds that are stepped together; no loop over worlds."""

    def __init__(self, count, seed, landmarks=(2, 4), hazards=(4, 8)):
        if count < 1:
            raise ValueError(f"at least one world, not {count}")
        check_range("landmarks", landmarks, 1, len(COLOURS))
        check_range("hazards", hazards, 0, 40)
        self.landmarks, self.hazards = landmarks, hazards
        self.rng = np.random.default_rng(seed)
        n = landmarks[1] + hazards[1]
        self.place, self.goal = np.zeros((2, count, 2), int)
        self.at = np.zeros((count, n, 2), int)  # of what is in each slot
        self.kind, self.colour = np.zeros((2, count, n), int)
        self.told, self.clock = np.zeros((2, count), int)
        self.begin(np.ones(count, bool))

    def begin(self, which: ndarray) -> None:
        """Draw these worlds anew: which (b,) of bool."""
        k, rng = int(which.sum()), self.rng
        if not k:
            return
        n, rows = self.at.shape[1], np.arange(k)
        cells = rng.random((k, SIZE**2)).argsort(axis=1)[:, : n + 1]
        at = np.stack([cells // SIZE, cells % SIZE], axis=-1)
        colours = np.zeros((k, n), int)
        most = self.landmarks[1]
        order = rng.random((k, len(COLOURS))).argsort(axis=1)
        colours[:, :most] = order[:, :most]
        counts = rng.integers(*self.landmarks, k, endpoint=True)
        threats = rng.integers(*self.hazards, k, endpoint=True)
        slot = np.arange(n)
        kind = np.where(
            slot < most,
            LANDMARK * (slot < counts[:, None]),
            HAZARD * (slot - most < threats[:, None]),
        )
        goal = (rng.random(k) * counts).astype(int)
        mix = rows[:, None], rng.random((k, n)).argsort(axis=1)
        self.place[which], self.goal[which] = at[:, n], at[rows, goal]
        self.told[which], self.clock[which] = colours[rows, goal], 0
        self.at[which], self.kind[which] = at[:, :n][mix], kind[mix]
        self.colour[which] = colours[mix]

    def distance(self) -> ndarray:
        """Steps from each agent to its goal if there were no hazards."""
        return np.abs(self.goal - self.place).sum(axis=1)

    def see(self) -> Sight:
        """What the agents see now."""
        real = self.kind != EMPTY
        tokens = np.zeros((*real.shape, FEATURES), np.float32)
        tokens[..., 0] = self.kind == LANDMARK
        tokens[..., 1] = self.kind == HAZARD
        b, j = np.nonzero(self.kind == LANDMARK)
        tokens[b, j, 2 + self.colour[b, j]] = 1
        offset = self.at - self.place[:, None]
        near = 2.0 ** (1 - np.abs(offset).sum(axis=-1, keepdims=True))
        tokens[..., 8:10] = offset / 4
        tokens[..., 10:11] = near
        tokens[..., 11:] = np.sign(offset) * near
        tokens *= real[..., None]
        own = np.zeros((len(real), OWN), np.float32)
        own[np.arange(len(real)), self.told] = 1
        own[:, 6:8] = self.place / (SIZE - 1) * 2 - 1
        own[:, 8] = 1 - self.clock / LIMIT
        return Sight(*map(torch.from_numpy, (tokens, own, real)))

    def move(self, actions: ndarray) -> Step:
        """One step in every world; none is drawn anew."""
        actions = np.asarray(actions)
        if actions.shape != self.told.shape or not (
            np.isin(actions, range(len(MOVES))).all()
        ):
            raise ValueError("one action a world: 0, 1, 2 or 3")
        self.place = np.clip(self.place + MOVES[actions], 0, SIZE - 1)
        self.clock = self.clock + 1
        here = (self.at == self.place[:, None]).all(axis=-1)
        died = (here & (self.kind == HAZARD)).any(axis=1)
        distance = self.distance()
        reached = distance == 0
        reward = np.where(reached, 1.0, np.where(died, -0.5, -0.01))
        ended = reached | died | (self.clock >= LIMIT)
        return Step(reward.astype("f4"), ended, reached, died, distance)

    def step(self, actions: ndarray) -> Step:
        """One step in every world; those that ended are drawn anew."""
        out = self.move(actions)
        self.begin(out.ended)
        return out


def shortest_paths(worlds: Worlds) -> ndarray:
    """Steps of the shortest safe path to each goal, (b,); inf if none is."""
    b = len(worlds.told)
    free = np.zeros((b, SIZE + 2, SIZE + 2), bool)
    free[:, 1:-1, 1:-1] = True
    world, slot = np.nonzero(worlds.kind == HAZARD)
    free[(world, *(worlds.at[world, slot] + 1).T)] = False
    seen = np.zeros_like(free)
    seen[(np.arange(b), *(worlds.place + 1).T)] = True
    goal = (np.arange(b), *(worlds.goal + 1).T)
    steps = np.where(seen[goal], 0.0, np.inf)
    for k in range(1, SIZE**2):
        rolled = [np.roll(seen, s, axis) for s in (1, -1) for axis in (1, 2)]
        seen = (seen | np.logical_or.reduce(rolled)) & free
        steps[seen[goal] & np.isinf(steps)] = k
    return steps


def read_map(rows: list[str], told: str) -> Worlds:
    """One world from a drawing: `@` agent, `#` hazard, `.` nothing, and the
    first letters of landmarks' colours, one of each at most."""
    letters = {name[0]: k for k, name in enumerate(COLOURS)}
    text = "".join(rows)
    if len(rows) != SIZE or {len(row) for row in rows} != {SIZE}:
        raise ValueError(f"a map has {SIZE} rows of {SIZE} signs")
    if strange := set(text) - {*letters, "@", "#", "."}:
        raise ValueError(f"no such sign on a map: {min(strange)!r}")
    if text.count("@") != 1 or any(text.count(c) > 1 for c in letters):
        raise ValueError("a map has one @, and one landmark of a colour")
    if told not in COLOURS or told[0] not in text:
        raise ValueError(f"no {told} landmark is on the map")
    cells = {k: c for k, c in enumerate(text) if c not in "@."}
    hazards, marks = text.count("#"), len(cells) - text.count("#")
    worlds = Worlds(1, 0, (marks, marks), (hazards, hazards))
    for slot, (cell, sign) in enumerate(cells.items()):
        worlds.at[0, slot] = divmod(cell, SIZE)
        worlds.kind[0, slot] = HAZARD if sign == "#" else LANDMARK
        worlds.colour[0, slot] = letters.get(sign, 0)
    worlds.place[0] = divmod(text.index("@"), SIZE)
    worlds.goal[0] = divmod(text.index(told[0]), SIZE)
    worlds.told[0] = COLOURS.index(told)
    return worlds


class Navigation(gymnasium.Env):
    """One of these worlds behind gymnasium's interface."""

    metadata = {"render_modes": ["ansi"], "render_fps": 4}

    def __init__(self, landmarks=(2, 4), hazards=(4, 8), render_mode=None):
        self.worlds = Worlds(1, None, landmarks, hazards)
        self.render_mode = render_mode
        n = self.worlds.at.shape[1]
        self.observation_space = spaces.Dict(
            tokens=spaces.Box(-2, 2, (n, FEATURES)),
            own=spaces.Box(-1, 1, (OWN,)),
            real=spaces.MultiBinary(n),
        )
        self.action_space = spaces.Discrete(len(MOVES))

    def _sight(self) -> dict:
        tokens, own, real = (x[0].numpy() for x in self.worlds.see())
        return {"tokens": tokens, "own": own, "real": real.astype(np.int8)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.worlds.rng = self.np_random
        self.worlds.begin(np.ones(1, bool))
        return self._sight(), {}

    def step(self, action):
        out = self.worlds.move(np.array([action]))
        over = bool(out.reached[0] or out.died[0])
        late = bool(out.ended[0]) and not over
        info = {"reached": bool(out.reached[0])}
        return self._sight(), float(out.reward[0]), over, late, info

    def render(self):
        if self.render_mode != "ansi":
            return None
        rows = np.full((SIZE, SIZE), ".")
        w = self.worlds
        for at, kind, colour in zip(w.at[0], w.kind[0], w.colour[0]):
            if kind != EMPTY:
                rows[tuple(at)] = "#" if kind == HAZARD else COLOURS[colour][0]
        rows[tuple(w.place[0])] = "@"
        return "\n".join("".join(row) for row in rows)
