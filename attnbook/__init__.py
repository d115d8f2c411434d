"""The small package that the notebooks of *Attention, Put to the Test* import.

A function is derived and defined in its chapter; what a second notebook needs
graduates to this package, and a test proves both copies equal. Importing the
package limits torch to one thread: two notebooks then fill two cores, where
two threads on a busy core were seen to be a hundred times slower. It does not
import torch, which takes two seconds: what needs it does.
"""

import os
import sys
from importlib.util import find_spec

if sys.version_info < (3, 11):
    raise ImportError(
        "attnbook needs Python 3.11 or newer and this is "
        f"{sys.version_info[0]}.{sys.version_info[1]}: make a new "
        "environment with a newer Python, then install requirements.txt."
    )

for name in ("torch", "numpy", "scipy", "matplotlib", "tqdm"):
    if sys.modules.get(name) is None and not find_spec(name):
        raise ImportError(
            f"attnbook needs {name}, which is not installed in this "
            "environment: run `pip install -r requirements.txt -c "
            "constraints.txt` in the course's folder, or choose the "
            "environment .venv."
        )

__version__ = "0.1.0"
os.environ["OMP_NUM_THREADS"] = "1"  # read by torch when it is imported
if sys.modules.get("torch"):
    sys.modules["torch"].set_num_threads(1)
