"""What a submission may use."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """CPU seconds and bytes. Wall-clock limits are `patience` times the CPU
    limits, so that a busy machine takes no points and a sleeper ends."""

    cell: float = 10.0  # one cell
    call: float = 5.0  # one call of a student's function
    question: float = 20.0  # all calls of one question's checks
    patience: float = 3.0
    memory: int = 1024 * MIB  # beyond what numpy and torch take
    files: int = 64 * MIB  # /tmp
    processes: int = 32
    output: int = 16 * MIB  # one result

    def cells(self, questions: int) -> float:
        """CPU seconds for all cells of a notebook, repeats included."""
        return self.cell * (questions + 1)

    def waiting(self, questions: int) -> float:
        """Seconds on the clock that a whole notebook, cells and calls, may
        wait without computing."""
        return self.patience * self.cells(questions)

    def submission(self, questions: int) -> float:
        """CPU seconds for a whole notebook."""
        return self.cells(questions) + self.question * questions

    def wall(self, questions: int) -> float:
        """Seconds after which a notebook is stopped whatever it does."""
        return self.patience * self.submission(questions) + 30
