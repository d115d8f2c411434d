"""How much is taken from strangers."""

MAX_CLASS_BYTES = 4_000_000_000  # read for one class, unpacked
MAX_CLASS_FILES = 100_000
MAX_STUDENT_FILES = 5_000
MAX_STUDENT_ZIPS = 3
MAX_LOOKED = 200  # notebooks of one student; more are told by name alone
DEEPEST = 10  # folders below the source
