"""The built book: complete, self-contained, described."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlparse

import pytest

from tests.needs import needs
from tools.notebooks import ROOT

SITE = ROOT / "_build" / "html"
PAGES = sorted(
    p
    for folder in ("book", "chapters", "exercises")
    for p in (SITE / folder).rglob("*.html")
)
pytestmark = needs("the built book")


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.assets, self.images, self.ids = [], [], [], set()
        self.feed(path.read_text("utf8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        elif tag in ("script", "img") and attrs.get("src"):
            self.assets.append(attrs["src"])
        elif tag == "link" and attrs.get("rel") in ("stylesheet", "icon"):
            self.assets.append(attrs["href"])
        if tag == "img":
            self.images.append(attrs)


def name(path):
    return path.relative_to(SITE).as_posix()


@pytest.fixture(params=PAGES, ids=name)
def page(request):
    return request.param, Page(request.param)


def test_the_front_page_exists():
    assert (SITE / "index.html").exists() and len(PAGES) >= 10


def test_every_asset_is_local_and_there(page):
    path, content = page
    for asset in content.assets:
        assert not urlparse(asset).netloc, f"{asset} needs the network"
        file = urlparse(asset).path
        assert (path.parent / unquote(file)).exists(), asset


def test_every_link_inside_the_book_leads_somewhere(page):
    path, content = page
    for link in content.links:
        target, anchor = urldefrag(link)
        if urlparse(link).scheme or not target:
            continue
        file = path.parent / unquote(urlparse(target).path)
        assert file.exists(), link
        if anchor and file.suffix == ".html":
            assert unquote(anchor) in Page(file).ids, link


def test_every_image_is_described(page):
    for image in page[1].images:
        alt = image.get("alt", "")
        assert alt and "_images/" not in alt and not alt.endswith(".png"), image


def test_no_markup_is_left_unrendered(page):
    text = re.sub(
        r"<(script|style|pre|code).*?</\1>",
        "",
        page[0].read_text("utf8"),
        flags=re.DOTALL,
    )
    assert not re.search(r"\{(eq|ref|cite|numref|term|doc)\}`", text)
    assert 'class="problematic"' not in text


def test_notebooks_can_be_downloaded():
    sources = SITE / "_sources"
    for path in PAGES:
        if path.parts[-3] in ("chapters", "exercises"):
            file = sources / path.relative_to(SITE).with_suffix(".ipynb")
            assert file.exists(), file
            assert f"{path.stem}.ipynb" in path.read_text("utf8")


def test_search_knows_the_text():
    index = (SITE / "searchindex.js").read_text("utf8")
    assert "softmax" in index and "bottleneck" in index


def test_no_solution_is_published():
    for path in SITE.rglob("*"):
        if path.suffix in (".html", ".ipynb", ".txt", ".js"):
            text = path.read_text("utf8", errors="ignore")
            assert "BEGIN SOLUTION" not in text, path
