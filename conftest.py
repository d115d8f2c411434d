"""Kernels of every pytest run start as `make run` starts them."""

from tools.kernels import prepare

prepare()
