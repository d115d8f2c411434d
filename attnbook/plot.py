"""One look for every figure: readable on white, dark pages and paper."""

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from attnbook.claims.prediction import band

# Okabe & Ito's colours keep apart for colour-blind readers; each also gets a
# marker and a dash pattern, because colour is never the only code.
LINES = [
    {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    {"color": "#009E73", "marker": "^", "linestyle": "-."},
    {"color": "#CC79A7", "marker": "D", "linestyle": ":"},
    {"color": "#000000", "marker": "v", "linestyle": (0, (5, 1, 1, 1, 1, 1))},
    {"color": "#7F7F7F", "marker": "P", "linestyle": (0, (3, 1))},
]


def use_style() -> None:
    """Set the book's style for every figure that follows."""
    mpl.rcParams.update(
        {
            "figure.figsize": (6.0, 3.6),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "font.size": 10.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "legend.frameon": False,
        }
    )
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ModuleNotFoundError:  # plain Python: nothing is shown inline
        return
    if get_ipython() is not None:
        set_matplotlib_formats("retina")


def show_weights(
    weights: np.ndarray,
    queries: list[str],
    keys: list[str],
    ax: Axes | None = None,
) -> Axes:
    """Draw weights (i queries, j keys) as a heat map on one scale, 0 to 1."""
    weights = np.atleast_2d(np.asarray(weights))
    if weights.shape != (len(queries), len(keys)):
        raise ValueError(
            f"weights have shape {weights.shape}, but there are "
            f"{len(queries)} queries and {len(keys)} keys"
        )
    ax = ax or plt.gca()
    image = ax.imshow(weights, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    ax.set_xticks(range(len(keys)), keys)
    ax.set_yticks(range(len(queries)), queries)
    ax.set(xlabel="key", ylabel="query")
    ax.grid(False)
    ax.figure.colorbar(image, ax=ax, label="weight", shrink=0.9)
    return ax


def show_band(
    ax: Axes, x: list, recorded: list[list[float]], style: int
) -> None:
    """Shade where one more seed should fall: one list of seeds per x."""
    low, high = np.array([band(values) for values in recorded]).T
    color = LINES[style]["color"]
    ax.fill_between(x, low, high, color=color, alpha=0.18, lw=0)
