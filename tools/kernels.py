"""How every command here starts a kernel."""

import os
import tempfile
import uuid

from jupyter_client.manager import KernelManager

CLEAN = {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}


def prepare() -> None:
    """Kernels inherit one thread and no progress bars, and talk over local
    sockets: two that start at once could otherwise race for a TCP port."""
    os.environ.update(CLEAN)
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
