"""The page as a file: names, addresses, what is kept when something goes wrong. In a browser it is tested apart."""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartoonize.errors import EncodeError, shown
from cartoonize.pages import review
from cartoonize.pages.addresses import relative_url
from cartoonize.pages.review import Review, ReviewError, check_page

from ..review_pages import done, failed, skipped, webp, write_page

PHOTO, RESULT = Path("in/a.jpg"), Path("out/a.jpg")
HOSTILE = "<script>alert(1)<&\"'`{{7*7}}.jpg"

names = (
    st.binary(min_size=1, max_size=60)
    .filter(lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b".."))
    .map(os.fsdecode)
)


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def outline(self) -> list[tuple[str, list[str]]]:
        return [(tag, sorted(attributes)) for tag, attributes in self.elements]

    def card(self) -> dict[str, str | None]:
        return next(attributes for tag, attributes in self.elements if attributes.get("class") == "card")


@given(folder=names, name=names)
def test_address_leads_to_the_very_file_whatever_its_name(folder: str, name: str) -> None:
    path = Path("/photos", folder, name)
    url = relative_url(path, Path("/out/pages/review.html"))
    assert url.isascii()
    leads_to = urlsplit(urljoin("file:///out/pages/review.html", url))
    assert (leads_to.query, leads_to.fragment) == ("", "")
    assert unquote_to_bytes(leads_to.path) == os.fsencode(path)


def test_address_of_a_name_that_looks_like_one() -> None:
    assert relative_url(Path("https:"), Path("review.html")) == "https%3A"
    assert relative_url(Path("a b#c?d%41.jpg"), Path("review.html")) == "a%20b%23c%3Fd%2541.jpg"


def test_address_on_another_drive_is_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_way(*_: object) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", no_way)
    assert relative_url(Path("/d/a b.jpg"), Path("/c/review.html")) == "file:///d/a%20b.jpg"


@pytest.mark.parametrize("make", [done, skipped])
@settings(max_examples=25)
@given(name=names)
def test_names_are_inert(tmp_path_factory: pytest.TempPathFactory, make: Any, name: str) -> None:
    page = tmp_path_factory.mktemp("page") / "review.html"
    plain = Page(write_page(page, [make(PHOTO, RESULT)]))
    hostile = Page(write_page(page, [make(Path("in", name), Path("out", name))]))
    assert hostile.outline == plain.outline
    assert shown(name) in hostile.text


def test_errors_notes_and_settings_are_inert(tmp_path: Path) -> None:
    plain = Page(write_page(tmp_path / "a.html", [failed(PHOTO, "broken")]))
    hostile = Page(write_page(tmp_path / "b.html", [failed(PHOTO, HOSTILE)]))
    assert hostile.outline == plain.outline
    assert HOSTILE in hostile.text


def test_what_a_card_tells(tmp_path: Path) -> None:
    parsed = Page(
        write_page(tmp_path / "out/review.html", [done(tmp_path / "in/ü #.jpg", tmp_path / "out/ü #.png", 2.5)])
    )
    card = parsed.card()
    assert (card["href"], card["data-source"]) == ("%C3%BC%20%23.png", "../in/%C3%BC%20%23.jpg")
    assert (card["data-width"], card["data-height"]) == ("320", "240")
    images = [attributes["src"] or "" for tag, attributes in parsed.elements if tag == "img" and "src" in attributes]
    assert [b64decode(image.partition(",")[2]) for image in images] == [webp()]
    assert "2.5 s" in parsed.text
    assert "Weights" in parsed.text


def test_page_holds_no_absolute_path(tmp_path: Path) -> None:
    html = write_page(tmp_path / "out/review.html", [done(tmp_path / "in/a.jpg", tmp_path / "out/a.jpg")])
    assert str(tmp_path) not in html
    assert str(Path("..", "in")) in Page(html).text
    assert "as/typed" in write_page(tmp_path / "out/review.html", [done(Path("as/typed/a.jpg"), RESULT)])


def test_name_too_long_for_a_page_is_found_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="too long"):
        check_page(tmp_path / ("x" * 300 + ".html"), streams=False, overwrite=True)


def test_failed_photo_is_no_link_and_says_why(tmp_path: Path) -> None:
    parsed = Page(write_page(tmp_path / "review.html", [failed(PHOTO, "not a picture")]))
    assert "href" not in parsed.card()
    assert "not a picture" in parsed.text


def test_policy_lets_only_our_script_and_style_run_and_nothing_from_the_network(tmp_path: Path) -> None:
    html = write_page(tmp_path / "review.html", [done(PHOTO, RESULT)])
    policy = next(a["content"] for _, a in Page(html).elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert f"{tag}-src 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy
    assert "http:" not in policy
    assert "https:" not in html


def test_cards_are_sorted_as_people_count(tmp_path: Path) -> None:
    order = ["a/photo1.jpg", "a/photo2.jpg", "a/Photo10.jpg", "b/1.jpg", "b/x.jpg"]
    parsed = Page(write_page(tmp_path / "review.html", [done(Path(name), RESULT) for name in reversed(order)]))
    cards = [attributes["data-source"] or "" for _, attributes in parsed.elements if "data-source" in attributes]
    assert [card[-len(name) :] for card, name in zip(cards, order, strict=True)] == order


def test_interrupted_run_says_what_is_left(tmp_path: Path) -> None:
    page = tmp_path / "review.html"
    assert "interrupted: 7 left" in write_page(page, [done(PHOTO, RESULT)], total=8, interrupted=True)
    assert "stopped after a failure: 1 left" in write_page(page, [failed(PHOTO, "x")], total=2)
    assert " left to do" not in write_page(page, [done(PHOTO, RESULT)])


def test_page_may_be_new_or_of_an_earlier_run_but_nobody_elses(tmp_path: Path) -> None:
    page = tmp_path / "review.html"
    check_page(page, streams=False, overwrite=False)
    write_page(page, [done(PHOTO, RESULT)])
    check_page(page, streams=False, overwrite=False)
    page.write_text("<!doctype html><title>My holiday</title>")
    with pytest.raises(ReviewError, match="exists and is no review page"):
        check_page(page, streams=False, overwrite=False)
    check_page(page, streams=False, overwrite=True)


@pytest.mark.parametrize("name", ["review", "review.jpg", "-", "", "folder.html"])
def test_page_needs_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ReviewError, match=r"expected the name of an \.html file"):
        check_page(tmp_path / name, streams=False, overwrite=True)


def test_page_shows_files_only() -> None:
    with pytest.raises(ReviewError, match="neither standard input nor standard output"):
        check_page(Path("review.html"), streams=True, overwrite=False)


def test_folder_that_cannot_be_written_to_is_found_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReviewError, match="cannot be written to"):
        Review(tmp_path / "file" / "review.html", {}, 1)


def test_page_that_fails_leaves_the_earlier_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "review.html"
    earlier = write_page(page, [done(PHOTO, RESULT)])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(EncodeError, match="no space left"):
        write_page(page, [failed(PHOTO, "x")])
    assert page.read_text(encoding="utf-8") == earlier
    assert os.listdir(tmp_path) == ["review.html"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_costs_a_picture_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "r+b", buffering=0) as full:
        monkeypatch.setattr(review.tempfile, "TemporaryFile", lambda **_: full)
        html = write_page(tmp_path / "review.html", [done(PHOTO, RESULT)])
    assert "no thumbnail" in html
