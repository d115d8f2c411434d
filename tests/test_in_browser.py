"""The built book in headless Chromium, with no way out to any network."""

import functools
import http.server
import re
import shutil
import threading

import pytest

from tests.needs import needs
from tools.notebooks import ROOT

SITE = ROOT / "_build" / "html"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CONTENTS = (ROOT / "_toc.yml").read_text("utf8")
PAGES = re.findall(r"(?:file|root): (\S+)", CONTENTS)
COLOURS = {"type": "rule", "values": ["color-contrast"]}  # all a theme changes

pytestmark = needs("the package playwright", "Chromium", "the built book")


@pytest.fixture(scope="module")
def server():
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(SITE))
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()


@pytest.fixture(scope="module")
def tab():
    """One tab for all pages: a new one costs as much as most pages do."""
    from playwright import sync_api

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=flags
        )
        yield browser.new_page()
        browser.close()


@pytest.fixture
def visit(tab, server):
    """Open a page; `troubles` collects errors and requests to elsewhere."""
    tab.troubles = []

    def leave(request):
        if not request.url.startswith((server, "data:", "blob:")):
            tab.troubles.append(f"asks for {request.url}")

    listeners = {
        "request": leave,
        "pageerror": lambda error: tab.troubles.append(str(error)),
        "console": lambda m: m.type == "error" and tab.troubles.append(m.text),
        "response": lambda r: r.status >= 400 and tab.troubles.append(r.url),
    }
    for event, listener in listeners.items():
        tab.on(event, listener)

    def open_page(name, width=1200, dark=False):
        tab.emulate_media(color_scheme="dark" if dark else "light")
        tab.set_viewport_size({"width": width, "height": 800})
        tab.goto(f"{server}/{name}.html", wait_until="load")
        return tab

    yield open_page
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)


def violations(page, theme: str, **options) -> list:
    """What axe calls serious in the article, in a theme."""
    from axe_playwright_python import sync_playwright as axe

    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    context = {"include": [["article.bd-article"]]}
    options |= {"resultTypes": ["violations"], "preload": False}
    found = axe.Axe().run(page, context=context, options=options).response
    return [
        (v["id"], v["nodes"][0]["html"][:200])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        and "citation-list" not in v["nodes"][0]["html"]  # docutils' markup
    ]


def expect_sound(page) -> None:
    """No error, no request elsewhere, and on a phone: accessible, no scroll.

    Code and mathematics look alike on all pages, and axe takes a minute for
    their thousands of parts: here they are taken out before it comes, and one
    page, below, stands for all.
    """
    page.evaluate("window.MathJax && MathJax.startup.promise")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(  # a wide equation scrolls, from its beginning
        "[...document.querySelectorAll('div.math mjx-math')]"
        ".every(part => part.getBoundingClientRect().left >= 0)"
    )
    page.evaluate(
        "document.querySelectorAll('mjx-container, div.highlight')"
        ".forEach(part => part.remove())"
    )
    assert violations(page, "light") == []
    if "exercises/" not in page.url:  # text and code only, as elsewhere
        assert violations(page, "dark", runOnly=COLOURS) == []
    assert page.troubles == []


class TestChapters:
    """In a class, for then the other pages are visited at the same time."""

    @pytest.mark.parametrize("name", [p for p in PAGES if "chapters/" in p])
    def test_is_sound(self, visit, name):
        expect_sound(visit(name, width=390))


class TestOtherPages:
    @pytest.mark.parametrize("name", [p for p in PAGES if "chapters/" not in p])
    def test_is_sound(self, visit, name):
        expect_sound(visit(name, width=390))


def test_code_and_mathematics_are_accessible(visit):
    page = visit("chapters/1_principles/1_1_why_attention")
    page.wait_for_selector("mjx-container", timeout=20_000)
    assert violations(page, "light") == []
    assert violations(page, "dark", runOnly=COLOURS) == []


def test_mathematics_is_typeset_offline(visit):
    page = visit("chapters/1_principles/1_2_scores_weights_sum")
    page.wait_for_selector("mjx-container", timeout=20_000)
    page.wait_for_load_state("networkidle")
    assert page.locator("mjx-container").count() > 50
    assert page.locator("mjx-merror").count() == 0
    numbers = page.locator("[id^='mjx-eqn:1.2.']").count()
    assert numbers == 16


def test_search_works_offline(visit):
    page = visit("search")
    page.goto(page.url + "?q=softmax")
    page.wait_for_selector("#search-results li", timeout=20_000)
    assert "1.2 Scores" in page.locator("#search-results").inner_text()


def test_figures_stay_on_white_in_dark_mode(visit):
    page = visit("chapters/1_principles/1_1_why_attention", dark=True)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    image = page.locator(".cell_output img").first
    style = image.evaluate(
        "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).filter]"
    )
    assert style == ["rgb(255, 255, 255)", "none"]
