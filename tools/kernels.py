"""How every command here starts a kernel."""

import atexit
import os
import shutil
import tempfile
import uuid
from pathlib import Path

from jupyter_client.manager import KernelManager

CLEAN = {
    "TQDM_DISABLE": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONUTF8": "1",  # whatever the locale
    "LC_ALL": "C.UTF-8",
    "MPL_IGNORE_SYSTEM_FONTS": "1",  # 9,000 take a minute, and say so
}
# What a user may have set for other work, and outputs may depend on.
SETTINGS = tuple(
    "PYTHON MPL MATPLOTLIBRC IPYTHON JUPYTER LANG LC_ "
    "OMP_ GOMP_ KMP_ MKL_ OPENBLAS_ BLIS_ NPY_ NUMEXPR_ "
    "TORCH PYTORCH ATEN_ ONEDNN_ DNNL_ TQDM_ "
    "PYTEST_ADDOPTS PYTEST_PLUGINS PY_COLORS FORCE_COLOR NO_COLOR CLICOLOR "
    "COLUMNS LINES".split()
)
KEPT = {"PYTHONPATH", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE"}
PRIVATE = (
    "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "MPLCONFIGDIR",
)
FOLDER = "ATTNBOOK_KERNELS"  # names the folder of the private ones
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


def clean(environment: dict, folder: str) -> dict:
    """The environment of a kernel: no settings of the user's for Python,
    Jupyter or matplotlib, but folders of its own for them, below `folder`."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(SETTINGS) or name in KEPT
    }
    private = {name: os.path.join(folder, name.lower()) for name in PRIVATE}
    own = CLEAN | private | {FOLDER: folder}
    return kept | own | (AVX2_AT_MOST if has_avx512() else {})


def private_folder() -> str:
    """One for this process and all that it starts, gone when it ends."""
    given = os.environ.get(FOLDER, "")
    if os.path.isdir(given) and os.access(given, os.W_OK):
        return given
    folder, owner = tempfile.mkdtemp(prefix="attnbook-kernels-"), os.getpid()

    def remove():
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    for name in PRIVATE:
        os.mkdir(os.path.join(folder, name.lower()))
    return folder


def prepare() -> None:
    """Kernels inherit one thread, no progress bars, no settings of the user's
    and the registers of the records, and talk over local sockets: two that
    start at once could otherwise race for a TCP port."""
    environment = clean(os.environ, private_folder())
    os.environ.clear()
    os.environ.update(environment)
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
