"""What maintainers run: execute, derive, record, render. Never imported by a
notebook."""
