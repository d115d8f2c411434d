"""Kernels of every pytest run start as `make run` starts them."""

import signal

from tools.kernels import prepare

prepare()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as under nohup; the grader's tests interrupt processes, which inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
