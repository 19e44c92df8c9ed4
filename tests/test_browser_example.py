"""examples/browser in headless Chromium; skipped without chromium, chromedriver, npm or a registry to pack from."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from cartoonize import Cartoonizer

EXAMPLE = Path(__file__).parents[1] / "examples" / "browser"
CHROMIUM, DRIVER, NPM = (shutil.which(name) for name in ("chromium", "chromedriver", "npm"))
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
SECONDS = 120

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER and NPM), reason="needs chromium, chromedriver and npm")


class Handler(SimpleHTTPRequestHandler):
    """Serves the page, and remembers what was asked for."""

    asked: list[str]

    def __init__(self, *args: object, asked: list[str], **options: object) -> None:
        self.asked = asked
        super().__init__(*args, **options)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run([sys.executable, EXAMPLE / "build.py", folder], capture_output=True, text=True, timeout=250)
    if built.returncode and "npm" in built.stderr:
        pytest.skip("npm cannot fetch onnxruntime-web here")
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def served(site: Path) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(site), asked=asked)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in FLAGS:
        options.add_argument(flag)
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as driver:
        yield driver


def status(browser: webdriver.Chrome, begins: tuple[str, ...]) -> str:
    def said(driver: webdriver.Chrome) -> str | None:
        text = driver.find_element(By.ID, "status").text
        return text if text.startswith(begins) else None

    text: str = WebDriverWait(browser, SECONDS).until(said)
    return text


def canvas(browser: webdriver.Chrome) -> NDArray[np.uint8]:
    url = browser.execute_script("return document.getElementById('cartoon').toDataURL()")
    return np.asarray(Image.open(io.BytesIO(b64decode(url.split(",")[1]))).convert("RGB"))


def test_a_photo_becomes_the_cartoon_that_the_program_makes(
    served: tuple[str, list[str]], browser: webdriver.Chrome, tmp_path: Path
) -> None:
    address, asked = served
    photo = skimage.data.coffee()[100:243, 200:390]  # no multiple of 4, and not resized
    Image.fromarray(photo).save(tmp_path / "photo.png")
    browser.get(address)
    assert status(browser, ("Ready", "The generator")) == "Ready."
    loaded = list(asked)
    browser.find_element(By.ID, "photo").send_keys(str(tmp_path / "photo.png"))
    assert status(browser, ("Done", "This file")).startswith("Done: 190 x 143 pixels")
    expected = Cartoonizer("fast", size="full")(photo)
    assert np.abs(canvas(browser).astype(int) - expected).max() <= 2
    assert "CC BY-NC-SA" in browser.find_element(By.ID, "licence").text
    assert asked == loaded, "nothing is fetched or uploaded for a photo"
    names = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert all(name.startswith((address, "blob:")) for name in names)
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in severe if "favicon" not in message] == []


def test_what_is_no_picture_gets_one_line(
    served: tuple[str, list[str]], browser: webdriver.Chrome, tmp_path: Path
) -> None:
    (tmp_path / "no.png").write_text("no picture")
    browser.get(served[0])
    status(browser, ("Ready",))
    browser.find_element(By.ID, "photo").send_keys(str(tmp_path / "no.png"))
    assert "could not be drawn" in status(browser, ("Done", "This file"))


def test_the_page_is_small() -> None:
    lines = sum(len((EXAMPLE / name).read_text().splitlines()) for name in ("index.html", "style.css", "cartoon.js"))
    assert lines < 200
