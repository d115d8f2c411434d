"""What processes use of the machine."""

import psutil


def computing(processes: list[psutil.Process]) -> tuple[float, bool]:
    """CPU seconds so far, and whether one of them computes or waits for its
    turn to."""
    seconds, at_work = 0.0, False
    for process in processes:
        try:
            with process.oneshot():
                t, now = process.cpu_times(), process.status()
        except psutil.Error:
            continue
        seconds += t.user + t.system + t.children_user + t.children_system
        at_work |= now in (psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP)
    return seconds, at_work


def resident(process: psutil.Process) -> int:
    """Bytes in memory, those that it shares among them."""
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def own_memory(process: psutil.Process) -> int:
    """Bytes in memory, those that processes share divided between them."""
    try:
        return process.memory_full_info().pss
    except psutil.AccessDenied:
        return resident(process)
    except psutil.Error:
        return 0
