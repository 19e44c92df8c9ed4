"""The review page in headless Chromium; skipped where chromium or chromedriver (Debian: chromium-driver) is absent."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from ..cli.test_app import process
from ..clips import Clip, pan
from ..review_pages import done, failed, many, skipped, write_page

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1280,900"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
HOSTILE = (
    '"><script>window.broken=1<.jpg',
    "<img src=x onerror=window.broken=2>.jpg",
    "' onclick=alert(1) '&amp;.jpg",
    "a#b?c=d%41+e&f;g.jpg",
    "javascript:alert(3).jpg",
    "back\\slash.jpg",
    "new\nline.jpg",
    "写真 ☕ ünïcode.jpg",
    os.fsdecode(b"caf\xe9.jpg"),
)


class Browser:
    """Chromium with a page of ours open, and what the tests ask of it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.js: Callable[..., Any] = driver.execute_script

    def open(self, page: Path) -> None:
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(page.resolve().as_uri())

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def until(self, script: str) -> Any:
        return WebDriverWait(self.driver, 300).until(lambda _: self.js(f"return {script}"), script)

    def shown(self) -> list[str]:
        names = (
            "[...document.querySelectorAll('li')].filter(l => !l.hidden).map(l => l.querySelector('.name').textContent)"
        )
        return list(self.js(f"return {names}"))

    def viewed(self) -> str | None:
        """Name of the picture in the viewer; None when it is closed."""
        name = "document.querySelector('dialog').open ? document.querySelector('#viewer-name').textContent : null"
        return self.js(f"return {name}")  # type: ignore[no-any-return]

    def both_loaded(self) -> list[tuple[int, int]]:
        """Wait for photo and cartoon; return their sizes."""
        images = "[...document.querySelectorAll('.frame img')]"
        self.until(f"{images}.every(i => i.complete && i.naturalWidth)")
        return [tuple(size) for size in self.js(f"return {images}.map(i => [i.naturalWidth, i.naturalHeight])")]

    def divider(self) -> float:
        """Share of the frame left of the divider, as both pictures are cut."""
        before, after = self.js(
            "return ['.before', '.after'].map(s => getComputedStyle(document.querySelector(s)).clipPath)"
        )
        share = float(after.split()[-1].rstrip("%)"))
        assert before.split()[1] in (f"calc(100% - {share:g}%)", f"{100 - share:g}%")
        return share

    def addresses(self) -> list[str]:
        """Everything asked for since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not CHROMIUM or not DRIVER:
        pytest.skip("needs the Debian packages chromium and chromium-driver, which are absent")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """A browser that must have had nothing to complain about, and asked nobody for anything."""
    chromium.js("document.documentElement.remove()")
    yield chromium
    assert chromium.complaints() == []
    assert {address.partition(":")[0] for address in chromium.addresses()} <= {"file", "data"}


def save(path: Path, size: tuple[int, int] = (640, 480), **settings: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], 3), 90, np.uint8)).save(path, **settings)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Three photos that can be viewed, and one that failed."""
    for name in "abc":
        save(tmp_path / f"in/{name}.jpg")
        save(tmp_path / f"out/{name}.jpg")
    source, target = (lambda name: tmp_path / f"in/{name}.jpg"), (lambda name: tmp_path / f"out/{name}.jpg")
    outcomes = [
        done(source("a"), target("a"), 1.0),
        done(source("b"), target("b"), 3.0),
        skipped(source("c"), target("c")),
        failed(source("d"), "not a picture"),
    ]
    write_page(tmp_path / "out/review.html", outcomes)
    return tmp_path / "out/review.html"


def test_grid_shows_every_photo_and_errors_in_words(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.shown() == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    browser.until("[...document.querySelectorAll('.picture img')].every(i => i.naturalWidth === 32)")
    assert browser.one(".error").text == "not a picture"
    assert browser.one("output").text == "4 of 4 shown"


def test_filter(browser: Browser, page: Path) -> None:
    browser.open(page)
    for wanted, names in (("failed", ["d.jpg"]), ("skipped", ["c.jpg"]), ("done", ["a.jpg", "b.jpg"])):
        browser.one(f"input[value={wanted}]").click()
        assert browser.shown() == names
        assert browser.one("output").text == f"{len(names)} of 4 shown"
    browser.press(Keys.ARROW_LEFT)  # the keyboard moves between the choices
    assert len(browser.shown()) == 4


def test_filter_that_leaves_nothing_says_so(browser: Browser, tmp_path: Path) -> None:
    write_page(tmp_path / "review.html", [done(tmp_path / "a.jpg", tmp_path / "b.jpg")])
    browser.open(tmp_path / "review.html")
    assert not browser.one(".empty").is_displayed()
    browser.one("input[value=failed]").click()
    assert browser.one(".empty").is_displayed()


def test_sort(browser: Browser, page: Path) -> None:
    browser.open(page)
    order = Select(browser.one("select"))
    order.select_by_value("time")
    assert browser.shown()[:2] == ["b.jpg", "a.jpg"]
    order.select_by_value("status")
    assert browser.shown() == ["d.jpg", "c.jpg", "a.jpg", "b.jpg"]
    order.select_by_value("name")
    assert browser.shown() == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]


def test_viewer_by_keyboard_alone(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js("document.querySelector('a.card').focus()")
    browser.press(Keys.ENTER)
    assert browser.viewed() == "a.jpg"
    assert browser.both_loaded() == [(640, 480)] * 2
    seen = []
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT):
        browser.press(key)
        seen.append(browser.viewed())
    assert seen == ["b.jpg", "c.jpg", "a.jpg", "c.jpg"], "round the end, past the failed one"
    assert browser.one(".place").text == "3 of 3"
    browser.press(Keys.ESCAPE)
    assert browser.viewed() is None
    browser.until("document.activeElement.querySelector('.name')?.textContent == 'c.jpg'")


def test_arrows_move_the_divider_only_when_it_has_the_focus(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.one("a.card").click()
    assert browser.divider() == 50
    browser.js("document.querySelector('dialog input').focus()")
    browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert (browser.viewed(), browser.divider()) == ("a.jpg", 52)
    assert browser.js("return document.querySelector('dialog input').ariaValueText") == "photo 52 %, cartoon 48 %"
    browser.one(".next").click()
    assert (browser.viewed(), browser.divider()) == ("b.jpg", 52)


def test_divider_follows_the_pointer_and_leaves_the_arrows_alone(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.one("a.card").click()
    browser.both_loaded()
    frame = browser.one(".frame")
    width = frame.size["width"]
    drag = ActionChains(browser.driver).move_to_element(frame).click_and_hold()
    drag.move_by_offset(width // 4, 0).release().perform()
    assert browser.divider() == pytest.approx(75, abs=1)
    browser.press(Keys.ARROW_RIGHT)
    assert browser.viewed() == "b.jpg"


def test_viewer_goes_through_what_is_shown(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.one("input[value=done]").click()
    browser.one("li:not([hidden]) a.card").click()
    browser.press(Keys.ARROW_LEFT)
    assert (browser.viewed(), browser.one(".place").text) == ("b.jpg", "2 of 2")


def test_actual_size(browser: Browser, tmp_path: Path) -> None:
    save(tmp_path / "in/large.jpg", (3000, 2000))
    assert process("in", "--out", "out", "--review", "review.html", cwd=tmp_path).returncode == 0
    browser.open(tmp_path / "review.html")
    browser.one("a.card").click()
    assert browser.one(".frame").size["width"] < 1280
    browser.one("button.actual").click()
    assert browser.one(".frame").size == {"width": 3000, "height": 2000}
    assert browser.one("button.actual").get_dom_attribute("aria-pressed") == "true"


def test_everything_has_a_name_for_a_screen_reader(browser: Browser, page: Path) -> None:
    browser.open(page)
    outside = browser.driver.find_elements(By.CSS_SELECTOR, "main a, .tools input, select, summary")
    names = [element.accessible_name for element in outside]
    browser.one("a.card").click()
    inside = browser.driver.find_elements(By.CSS_SELECTOR, "dialog button, dialog a, dialog input, dialog")
    names += [element.accessible_name for element in inside if element.is_displayed()]
    assert all(names), names
    assert any("a.jpg" in name and "done" in name for name in names)
    assert {"Divider between photo and cartoon", "Next picture", "Previous picture", "Close"} <= set(names)


@pytest.mark.skipif(os.name == "nt", reason="the system refuses such names")
def test_hostile_names_are_inert_and_their_files_are_found(browser: Browser, tmp_path: Path) -> None:
    for name in HOSTILE:
        save(tmp_path / "plain.jpg")
        (tmp_path / "in").mkdir(exist_ok=True)
        os.rename(tmp_path / "plain.jpg", tmp_path / "in" / name)
    ended = process("in", "--out", "out", "--review", "out/re #1?.html", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    browser.open(tmp_path / "out/re #1?.html")
    browser.one("a.card").click()
    for _ in HOSTILE:
        assert browser.both_loaded() == [(640, 480)] * 2, browser.viewed()
        assert browser.one(".message").text == ""
        browser.press(Keys.ARROW_RIGHT)
    assert browser.js("return [window.broken, document.scripts.length, document.querySelectorAll('li').length]") == [
        None,
        1,
        len(HOSTILE),
    ]


def test_turned_photo_and_smaller_result_lie_on_each_other(browser: Browser, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    save(tmp_path / "in/turned.jpg", (640, 480), exif=exif)
    assert process("in", "--out", "out", "--review", "r.html", cwd=tmp_path).returncode == 0
    save(tmp_path / "out/turned.jpg", (240, 320))  # as --output-size work writes it
    browser.open(tmp_path / "r.html")
    browser.one("a.card").click()
    assert browser.both_loaded() == [(480, 640), (240, 320)]
    frame, *images = (browser.one(selector).rect for selector in (".frame", ".before", ".after"))
    assert images == [frame, frame]
    assert frame["width"] / frame["height"] == pytest.approx(480 / 640, rel=0.01)


def test_format_that_browsers_cannot_show(browser: Browser, tmp_path: Path) -> None:
    save(tmp_path / "in/scan.tiff", (900, 600))
    assert process("in", "--out", "out", "--review", "r.html", cwd=tmp_path).returncode == 0
    browser.open(tmp_path / "r.html")
    browser.one("a.card").click()
    browser.until("document.querySelector('.message').textContent.includes('a small preview stands in')")
    assert browser.both_loaded() == [(640, 427)] * 2


def test_policy_stops_whatever_would_go_to_the_network(browser: Browser, page: Path) -> None:
    browser.open(page)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        browser.js(
            "window.stopped = [];"
            "document.addEventListener('securitypolicyviolation', (e) => stopped.push(e.effectiveDirective));"
            "new Image().src = arguments[0];"
            "fetch(arguments[0]).catch(() => {});",
            address,
        )
        browser.until("stopped.length === 2")
        server.settimeout(0.5)
        with pytest.raises(TimeoutError):
            server.accept()
    assert all("Content Security Policy" in each for each in browser.complaints())
    assert address in browser.addresses(), "asked for, and refused by the browser itself"


def test_light_and_dark(browser: Browser, page: Path) -> None:
    browser.open(page)
    colors = []
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        colors.append(browser.js("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"))
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    light, dark = colors
    assert min(light) > 200
    assert max(dark) < 60


@pytest.mark.slow
def test_the_script_that_makes_the_readmes_picture(chromium: Browser, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, root / "examples/review_page.py", tmp_path / "page.jpg"]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=600)
    with Image.open(tmp_path / "page.jpg") as made, Image.open(root / "docs/pictures/review_page.jpg") as shipped:
        assert made.size == shipped.size
        assert made.convert("L").getextrema() == (0, 255)
    assert (root / "docs/pictures/review_page.jpg").stat().st_size < 250_000


def test_two_thousand_photos(browser: Browser, tmp_path: Path) -> None:
    write_page(tmp_path / "review.html", many(tmp_path, 2000))
    browser.open(tmp_path / "review.html")
    assert browser.one("output").text == "2000 of 2000 shown"
    browser.one("input[value=failed]").click()
    assert len(browser.shown()) == 20
    browser.one("input[value=all]").click()
    Select(browser.one("select")).select_by_value("time")
    browser.js("scrollTo(0, document.body.scrollHeight / 2)")
    browser.until("document.elementFromPoint(300, 500).closest('li')?.querySelector('img')?.naturalWidth === 32")
    loaded = browser.js("return [...document.images].filter((image) => image.naturalWidth).length")
    assert loaded < 600, "pictures far away wait until they are near"


def test_a_film_and_its_cartoon_play_in_step_under_the_divider(browser: Browser, tmp_path: Path) -> None:
    film, cartoon = (
        Clip(pictures=pan(75, step=step), codec="libvpx-vp9").write(tmp_path / name)
        for step, name in ((1, "a.webm"), (2, "a_cartoon.webm"))
    )
    told = done(film, cartoon)
    write_page(tmp_path / "page.html", [replace(told, result=replace(told.result, begins=1.0))])  # type: ignore[type-var]
    browser.open(tmp_path / "page.html")
    browser.one("a.card").click()
    times = "[...document.querySelectorAll('.frame video')].map(v => v.currentTime)"
    browser.until(f"{times}[1] > 0.3 && Math.abs({times}[0] - {times}[1] - 1) < 0.15")
    assert browser.js("return [...document.querySelectorAll('.frame img')].every(i => i.hidden)")
    browser.one("button.play").click()
    browser.until("[...document.querySelectorAll('.frame video')].every(v => v.paused)")
    assert browser.one("button.play").text == "Play"
    assert browser.divider() == 50
    browser.one("button.close").click()
    browser.until("![...document.querySelectorAll('.frame video')].some(v => v.src)")
