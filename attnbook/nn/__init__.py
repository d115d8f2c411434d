"""Attention and what is built of it, each derived in its chapter."""
