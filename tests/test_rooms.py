"""The package's rooms: who may import whom (pyproject.toml says it)."""

from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

from tools.notebooks import ROOT


def test_imports_run_one_way(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    configure()
    assert lint_imports(cache_dir=None), capsys.readouterr().out
