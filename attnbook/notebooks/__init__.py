"""How a notebook is read and run, wherever that is done outside Jupyter."""
