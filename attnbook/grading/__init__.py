"""Grade notebooks of strangers: trusted checks, answers in a sandbox.

The grader (checks, references, the secret seed) and the answer (the student's
cells) are two processes. Only raw arrays cross between them.
"""
