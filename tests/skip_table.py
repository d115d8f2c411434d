"""The end of every test run: what was not tested on this machine.

A pytest plugin. Each skipped test must name a need of tests/needs.py; one
that does not makes the run fail. What was skipped is remembered, and
`pytest --skipped` runs only that.
"""

from collections import Counter

import pytest

from tests.needs import NEEDS

KEY = "attnbook/skipped"  # in pytest's cache
PREFIX = "needs "
skipped: dict[str, str] = {}  # reasons by test
ran: set[str] = set()


def split(reason: str) -> tuple[str, str]:
    """What a skip's reason says is needed, and why; no need if it is not in
    the list."""
    name, _, why = reason.removeprefix("Skipped: ").partition(": ")
    name = name.removeprefix(PREFIX)
    return (name, why) if name in NEEDS else ("", reason)


def table(reasons: list[str]) -> list[str]:
    """Lines, the most frequent first: how many tests, what they need, what
    would bring it, and below it why that is not there."""
    counts = Counter(map(split, reasons))
    counts = {k: v for k, v in counts.most_common() if k[0]}
    if not counts:
        return []
    width = max(len(name) for name, _ in counts)
    lines = [f"tests  {'need':{width}}  this would change it"]
    for (name, why), count in counts.items():
        lines.append(f"{count:5}  {name:{width}}  {NEEDS[name].change}")
        lines += [f"       ({why})"] if why else []
    return lines


def unknown(reasons: dict[str, str]) -> list[str]:
    """Tests that were skipped for a reason that is not in the list."""
    return [test for test, why in reasons.items() if not split(why)[0]]


def note(report) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        said = report.longrepr
        skipped[report.nodeid] = said[-1] if isinstance(said, tuple) else said


def pytest_collectreport(report):
    note(report)


def pytest_runtest_logreport(report):
    note(report)
    if report.when == "call" and not report.skipped:
        ran.add(report.nodeid)


def pytest_addoption(parser):
    parser.addoption(
        "--skipped",
        action="store_true",
        help="run only what was skipped when it was last run",
    )


def pytest_collection_modifyitems(config, items):
    if config.getoption("skipped"):
        wanted = set(remembered(config))
        config.hook.pytest_deselected(
            items=[item for item in items if item.nodeid not in wanted]
        )
        items[:] = [item for item in items if item.nodeid in wanted]


def remembered(config) -> list[str]:
    cache = getattr(config, "cache", None)
    return cache.get(KEY, []) if cache else []


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    config = session.config
    if hasattr(config, "workerinput"):
        return
    if getattr(config, "cache", None):
        left = set(remembered(config)) - ran | skipped.keys()
        config.cache.set(KEY, sorted(left))
    if unknown(skipped) and session.exitstatus in (0, 5):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    for test in unknown(skipped):
        terminalreporter.write_line(
            f"FAILED {test}: skipped for a reason that tests/needs.py does "
            f"not list: {skipped[test]}"
        )
    lines = table(list(skipped.values()))
    if lines:
        terminalreporter.section("not tested on this machine")
        for line in lines:
            terminalreporter.write_line(line)
        terminalreporter.write_line(
            "Only these again: .venv/bin/python -m tools.test --skipped"
        )
