"""How every command here starts a kernel."""

import os
import tempfile
import uuid
from pathlib import Path

from jupyter_client.manager import KernelManager

CLEAN = {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
# Wider registers sum in another order, and training enlarges the difference
# in the last digit: with AVX-512, 26 of the 170 numbers of chapter 3.3 came
# out as recorded, with these limits all of them.
AVX2_AT_MOST = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}


def has_avx512() -> bool:
    """Whether this is a Linux on a processor with AVX-512."""
    info = Path("/proc/cpuinfo")
    return info.exists() and "avx512f" in info.read_text("utf8").split()


def prepare() -> None:
    """Kernels inherit one thread, no progress bars and the registers of the
    records, and talk over local sockets: two that start at once could
    otherwise race for a TCP port."""
    os.environ.update(CLEAN | (AVX2_AT_MOST if has_avx512() else {}))
    if os.name == "nt" or hasattr(KernelManager, "attnbook_ipc"):
        return
    original = KernelManager.__init__

    def init(self, *args, **kwargs):
        name = f"kernel-{uuid.uuid4().hex[:12]}"
        kwargs.setdefault("transport", "ipc")
        kwargs.setdefault("ip", os.path.join(tempfile.gettempdir(), name))
        original(self, *args, **kwargs)

    KernelManager.__init__ = init
    KernelManager.attnbook_ipc = True
