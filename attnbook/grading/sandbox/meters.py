"""What a process uses of the machine's memory."""

import psutil


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
