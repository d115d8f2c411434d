"""How a command of this package meets the terminal that it was started in."""

import io
import os
import sys


def speak_utf8() -> None:
    """Make files' names, files and streams of this process UTF-8, whatever
    the locale; a letter that the terminal lacks is printed as `?`.

    Call it first thing in a program's main function, and in no library: where
    the interpreter reads names in another encoding, it starts itself anew.
    """
    if sys.getfilesystemencoding().lower() not in ("utf-8", "utf8"):
        start_again_in_utf8()
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def start_again_in_utf8() -> None:
    """The same program from its start; never returns. Processes that it will
    start are told as well. A terminal that knows more than ASCII is still
    spoken to in its own encoding; ASCII alone says only that no locale is
    set."""
    spoken = getattr(sys.stdout, "encoding", None) or "ascii"
    if spoken.lower() not in ("ascii", "us-ascii", "ansi_x3.4-1968"):
        os.environ.setdefault("PYTHONIOENCODING", f"{spoken}:replace")
    os.environ["PYTHONUTF8"] = "1"
    words = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
    os.execv(sys.executable, words)
