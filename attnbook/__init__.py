"""The small package that the notebooks of *Attention, Put to the Test* import.

A function is derived and defined in its chapter; what a second notebook needs
graduates to this package, and a test proves both copies equal. Importing the
package limits torch to one thread: two notebooks then fill two cores, where
two threads on a busy core were seen to be a hundred times slower.
"""

import sys

if sys.version_info < (3, 11):
    raise ImportError(
        "attnbook needs Python 3.11 or newer and this is "
        f"{sys.version_info[0]}.{sys.version_info[1]}: make a new "
        "environment with a newer Python, then install requirements.txt."
    )

try:
    import torch
except ModuleNotFoundError:
    raise ImportError(
        "attnbook needs torch, which is not installed in this environment: "
        "run `pip install -r requirements.txt` in the course's folder."
    ) from None

__version__ = "0.1.0"
torch.set_num_threads(1)
