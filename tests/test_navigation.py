"""The worlds of chapter 4.2: rules, gymnasium's check, paths, clear errors."""

import time
import warnings

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from attnbook.data import navigation as nav
from tools.notebooks import ROOT, code_cells, read

UP, DOWN, LEFT, RIGHT = range(4)
EMPTY_ROW = "." * 8


def drawing(*last):
    """A map whose last rows are these."""
    return [EMPTY_ROW] * (8 - len(last)) + list(last)


def test_everything_lies_on_a_cell_of_its_own():
    worlds = nav.Worlds(500, 0)
    for k in range(500):
        real = worlds.kind[k] != nav.EMPTY
        cells = {tuple(at) for at in worlds.at[k][real]}
        assert len(cells | {tuple(worlds.place[k])}) == real.sum() + 1
        marks = worlds.kind[k] == nav.LANDMARK
        colours = worlds.colour[k][marks]
        assert len(set(colours)) == marks.sum()
        goal = (worlds.at[k] == worlds.goal[k]).all(axis=1) & marks
        assert worlds.colour[k][goal].tolist() == [worlds.told[k]]


def test_numbers_of_things_are_as_asked_and_all_occur():
    kind = nav.Worlds(2000, 1).kind
    marks, threats = ((kind == k).sum(axis=1) for k in (1, 2))
    assert set(marks) == {2, 3, 4} and set(threats) == {4, 5, 6, 7, 8}
    assert kind.shape == (2000, 12)
    kind = nav.Worlds(50, 1, (6, 6), (16, 16)).kind
    assert (kind == 1).sum() == 50 * 6 and (kind == 2).sum() == 50 * 16


def test_slots_are_in_random_order():
    kind = nav.Worlds(4000, 2).kind
    shares = (kind == nav.LANDMARK).mean(axis=0)
    assert shares.min() > 0.2 and shares.max() < 0.3  # 3 of 12 on average


def test_tokens_say_what_is_where():
    world = nav.read_map(drawing("...g....", "..#@....", "r......."), "red")
    tokens, own, real = world.see()
    assert tokens.shape == (1, 3, nav.FEATURES) and real.all()
    green, hazard, red = tokens[0].tolist()
    assert green == [1, 0, 0, 1, 0, 0, 0, 0, -0.25, 0, 1, -1, 0]
    assert hazard == [0, 1, 0, 0, 0, 0, 0, 0, 0, -0.25, 1, 0, -1]
    assert red == [1, 0, 1, 0, 0, 0, 0, 0, 0.25, -0.75, 0.125, 0.125, -0.125]
    want = [1, 0, 0, 0, 0, 0, 6 / 7 * 2 - 1, 3 / 7 * 2 - 1, 1]
    torch.testing.assert_close(own[0], torch.tensor(want))


def test_empty_slots_are_zero():
    tokens, _, real = nav.Worlds(200, 3).see()
    assert (~real).any() and not tokens[~real].any()
    assert tokens.dtype == torch.float32 and real.dtype == torch.bool


def test_arriving_dying_and_walking_on():
    rows = drawing("..b.....", ".#@r....")
    for action, reward, ended, reached, died, distance in (
        (RIGHT, 1, True, True, False, 0),
        (LEFT, -0.5, True, False, True, 2),
        (UP, -0.01, False, False, False, 2),  # another landmark: nothing
        (DOWN, -0.01, False, False, False, 1),  # the outer wall
    ):
        out = nav.read_map(rows, "red").move(np.array([action]))
        assert out.reward.dtype == np.float32
        assert out.reward[0] == np.float32(reward)
        assert (out.ended[0], out.reached[0], out.died[0]) == (
            ended,
            reached,
            died,
        )
        assert out.distance[0] == distance


@pytest.mark.parametrize("action", range(4))
def test_nobody_leaves_through_the_wall(action):
    worlds = nav.Worlds(300, 4, hazards=(0, 0))
    for _ in range(9):
        worlds.move(np.full(300, action))
    axis, end = (0, 0, 1, 1)[action], (0, 7, 0, 7)[action]
    assert (worlds.place[:, axis] == end).all()


def test_time_runs_out_after_thirty_steps():
    world = nav.read_map(drawing("@......r"), "red")
    for k in range(1, nav.LIMIT + 1):
        assert world.see().own[0, 8].item() == pytest.approx(1 - (k - 1) / 30)
        out = world.move(np.array([LEFT]))
        assert out.ended[0] == (k == nav.LIMIT)
        assert not out.reached[0] and not out.died[0]


def test_step_draws_only_ended_worlds_anew():
    worlds = nav.Worlds(400, 5)
    before = worlds.at.copy(), worlds.kind.copy()
    out = worlds.step(np.full(400, RIGHT))
    assert 0 < out.ended.sum() < 400
    assert (worlds.clock == ~out.ended).all()
    same = (worlds.at == before[0]).all(axis=(1, 2))
    same &= (worlds.kind == before[1]).all(axis=1)
    assert (same == ~out.ended).all()


def test_worlds_are_decided_by_their_seed():
    one, two, other = (nav.Worlds(20, seed) for seed in (7, 7, 8))
    for _ in range(10):
        actions = np.arange(20) % 4
        for a, b in zip(one.step(actions), two.step(actions)):
            assert np.array_equal(a, b)
        for a, b in zip(one.see(), two.see()):
            assert torch.equal(a, b)
    assert not np.array_equal(one.at, other.at)


def test_shortest_paths_go_around_hazards():
    rows = [
        "@#......",
        ".#.###..",
        ".#.#r#..",
        "...#.#..",
        "####.#..",
        "........",
        EMPTY_ROW,
        EMPTY_ROW,
    ]
    assert nav.shortest_paths(nav.read_map(rows, "red")).tolist() == [22]
    rows[6] = "########"
    rows[5] = "........"
    assert nav.shortest_paths(nav.read_map(rows, "red")).tolist() == [22]
    rows[5] = "....#..."
    assert nav.shortest_paths(nav.read_map(rows, "red")).tolist() == [np.inf]
    near = nav.read_map(drawing("@r......"), "red")
    assert nav.shortest_paths(near).tolist() == [1]


def test_shortest_paths_are_the_distance_without_hazards():
    worlds = nav.Worlds(300, 6, hazards=(0, 0))
    assert (nav.shortest_paths(worlds) == worlds.distance()).all()
    worlds = nav.Worlds(300, 6)
    assert (nav.shortest_paths(worlds) >= worlds.distance()).all()


def test_gymnasium_finds_no_fault():
    for environment in (
        nav.Navigation(),
        nav.Navigation((6, 6), (16, 16), "ansi"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", message=".*spec.*")
            check_env(environment, skip_render_check=False)


def test_one_environment_has_the_dynamics_of_the_worlds():
    env = nav.Navigation()
    ends = set()
    for seed in range(60):
        seen, _ = env.reset(seed=seed)
        worlds = nav.Worlds(1, seed)
        worlds.rng = np.random.default_rng(seed)
        worlds.begin(np.ones(1, bool))
        rng = np.random.default_rng(seed)
        over = late = False
        while not (over or late):
            tokens, own, real = worlds.see()
            assert np.array_equal(seen["tokens"], tokens[0])
            assert np.array_equal(seen["own"], own[0])
            assert np.array_equal(seen["real"], real[0])
            action = int(rng.integers(4))
            out = worlds.move(np.array([action]))
            seen, reward, over, late, info = env.step(action)
            assert reward == out.reward[0] and not (over and late)
            assert (over or late) == out.ended[0]
            assert info["reached"] == out.reached[0]
        ends.add("late" if late else reward)
    assert ends == {"late", 1.0, -0.5}


def test_a_drawing_is_read_and_shown_again():
    rows = drawing("..b..#..", "@..r....", "#......w")
    env = nav.Navigation(render_mode="ansi")
    env.worlds = nav.read_map(rows, "blue")
    assert env.render() == "\n".join(rows)
    assert env.worlds.told[0] == nav.COLOURS.index("blue")
    assert env.worlds.goal[0].tolist() == [5, 2]


def test_worlds_are_fast():
    start = time.process_time()
    worlds, rng = nav.Worlds(64, 0), np.random.default_rng(0)
    for _ in range(400):
        worlds.see()
        worlds.step(rng.integers(0, 4, 64))
    assert time.process_time() - start < 3  # 25,600 steps


@pytest.mark.parametrize(
    "args, says",
    [
        ((0, 0), "at least one world"),
        ((5, 0, (0, 2)), "landmarks is .* 1 <= fewest <= most <= 6"),
        ((5, 0, (2, 7)), "landmarks is .* 1 <= fewest <= most <= 6"),
        ((5, 0, (3, 2)), "landmarks is .* 1 <= fewest <= most <= 6"),
        ((5, 0, (2, 4), (-1, 3)), "hazards is .* 0 <= fewest"),
        ((5, 0, (2, 4), (4, 41)), "hazards is .* <= 40"),
    ],
)
def test_impossible_worlds_are_refused(args, says):
    with pytest.raises(ValueError, match=says):
        nav.Worlds(*args)


@pytest.mark.parametrize(
    "actions", [[0, 1], [0, 1, 4], [0, 1, -1], [[0, 1, 2]], 0, [0.5, 1, 2]]
)
def test_impossible_actions_are_refused(actions):
    with pytest.raises(ValueError, match="one action a world"):
        nav.Worlds(3, 0).move(np.array(actions))


@pytest.mark.parametrize(
    "rows, told, says",
    [
        ([EMPTY_ROW] * 7, "red", "8 rows of 8 signs"),
        ([*drawing("@..r...."), EMPTY_ROW], "red", "8 rows of 8 signs"),
        (drawing("@..r..."), "red", "8 rows of 8 signs"),
        (drawing("@..r...?"), "red", "no such sign on a map"),
        (drawing("...r...."), "red", "one @"),
        (drawing("@.@r...."), "red", "one @"),
        (drawing("@..r...r"), "red", "one landmark of a colour"),
        (drawing("@..r...."), "green", "no green landmark"),
        (drawing("@..r...."), "rust", "no rust landmark"),
        (drawing("@......."), "red", "no red landmark"),
    ],
)
def test_maps_that_say_nothing_are_refused(rows, told, says):
    with pytest.raises(ValueError, match=says):
        nav.read_map(rows, told)


def replays():
    """The page elements that chapter 4.2 stored for its replay."""
    chapters = (ROOT / "chapters").glob("*/4_2_*.ipynb")
    for path in chapters:
        for cell in code_cells(read(path)):
            for output in cell.outputs:
                page = "".join(output.get("data", {}).get("text/html", ""))
                if 'id="replay-' in page:
                    yield page


def test_the_replay_is_small_works_offline_and_by_keyboard():
    pages = list(replays())
    assert len(pages) == 1, "run: make run"
    (page,) = pages
    assert len(page.encode()) <= 300_000
    assert "http" not in page and "src=" not in page and "@import" not in page
    assert page.count('class="moment now"') == 1  # seen without a script
    assert page.count("<svg") >= 3 and page.count("<script>") == 1
    assert '<button type="button">' in page  # the keyboard reaches both
    assert '<input type="range"' in page and "aria-label" in page
