"""How well a model does: boxes, outlines, explanations."""
