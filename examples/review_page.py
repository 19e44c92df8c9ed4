"""Make the picture of the review page in the docs: `python examples/review_page.py [TARGET]`.

Needs Chromium and its driver (Debian: chromium, chromium-driver) and Selenium (in the extra `dev`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import skimage.data
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "pictures"
SIZE = 820, 680
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


def make_page(folder: Path) -> Path:
    """Cartoonize a few photos, one of them no photo at all, and return the page."""
    photos = shutil.copytree(HERE / "photos", folder / "photos")
    for name in ("chelsea", "hubble_deep_field", "rocket"):
        Image.fromarray(getattr(skimage.data, name)()).save(photos / f"{name}.jpg", quality=95)
    (photos / "notes.jpg").write_text("not a picture")
    command = [sys.executable, "-m", "cartoonize", "photos", "--out", "cartoons", "--review", "review.html", "--quiet"]
    subprocess.run(command, cwd=folder, check=False)  # the exit code says that one failed
    return folder / "review.html"


def screenshots(page: Path, profile: Path) -> list[Image.Image]:
    """The grid in light, and the viewer in dark colours."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        width, height = SIZE
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        set_scheme(driver, "light")
        driver.get(page.as_uri())
        grid = driver.get_screenshot_as_png()
        set_scheme(driver, "dark")
        driver.find_element(By.CSS_SELECTOR, "a.card").click()
        loaded = "arguments[0](Promise.all([...document.querySelectorAll('.frame img')].map((i) => i.decode())))"
        driver.execute_async_script(loaded)
        return [Image.open(BytesIO(png)).convert("RGB") for png in (grid, driver.get_screenshot_as_png())]
    finally:
        driver.quit()


def set_scheme(driver: webdriver.Chrome, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        grid, viewer = screenshots(make_page(Path(folder)), Path(folder, "profile"))
    sheet = Image.new("RGB", (grid.width + viewer.width, grid.height))
    sheet.paste(grid)
    sheet.paste(viewer, (grid.width, 0))
    sheet.save(target, quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES / "review_page.jpg")
