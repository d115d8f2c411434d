"""One module per task; each module's docstring is its data card."""
