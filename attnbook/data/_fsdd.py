"""The Free Spoken Digit Dataset: found, fetched and verified."""

import hashlib
import os
import tarfile
import zipfile
from pathlib import Path

import pooch

COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
ARCHIVE = (
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/"
    f"{COMMIT}.zip"
)
# of the sorted lines "<sha256>  recordings/<name>", each with its line end
SHA256 = "782ba3104cab450397c83dd3b51381d056bfbf7b5f479bdcdb60438902ef191f"


def local_copy() -> dict[str, bytes] | None:
    """Recordings below the folder that ATTNBOOK_DATA names, if there."""
    folder = Path(os.environ.get("ATTNBOOK_DATA") or "/nowhere") / "fsdd"
    if (folder / "recordings").is_dir():
        files = (folder / "recordings").glob("*.wav")
        return {f.name: f.read_bytes() for f in files}
    if not (folder / "recordings.tar.gz").exists():
        return None
    with tarfile.open(folder / "recordings.tar.gz") as tar:
        wanted = (m for m in tar if m.isfile() and m.name.endswith(".wav"))
        return {Path(m.name).name: tar.extractfile(m).read() for m in wanted}


def download() -> dict[str, bytes]:
    """Recordings from the pinned commit's archive, kept in pooch's cache."""
    try:
        name = f"fsdd-{COMMIT[:7]}.zip"
        path = pooch.retrieve(ARCHIVE, known_hash=None, fname=name)
    except Exception as error:
        raise ConnectionError(
            "the Free Spoken Digit Dataset could not be downloaded "
            f"({type(error).__name__}); with a copy, set ATTNBOOK_DATA to the "
            "folder that holds fsdd/recordings.tar.gz or fsdd/recordings/"
        ) from None
    with zipfile.ZipFile(path) as archive:
        wanted = [n for n in archive.namelist() if n.endswith(".wav")]
        wanted = [n for n in wanted if Path(n).parent.name == "recordings"]
        return {Path(n).name: archive.read(n) for n in wanted}


def verified(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same recordings; ValueError unless they are the known 3,000."""
    lines = sorted(
        f"{hashlib.sha256(content).hexdigest()}  recordings/{name}\n"
        for name, content in files.items()
    )
    if hashlib.sha256("".join(lines).encode()).hexdigest() != SHA256:
        raise ValueError(
            f"these {len(files)} recordings are not the 3,000 of commit "
            f"{COMMIT[:7]}: delete the copy and fetch it again"
        )
    return files


def recordings() -> dict[str, bytes]:
    """Name and content of the 3,000 files, from a local copy or fetched."""
    found = local_copy()
    return verified(download() if found is None else found)
