"""The authors' released weights: what the files are, how they are checked, fetched and kept in the user's cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cartoonize.errors import WeightsError
from cartoonize.generators.remote_files import RemoteFile, problem

RELEASED = "whitebox"
LICENCE = "CC BY-NC-SA 4.0"
LICENCE_NOTICE = (
    "The authors' white-box weights (Xinrui Wang) are licensed CC BY-NC-SA 4.0: free to use for non-commercial"
    " purposes, with attribution, and derivatives under the same licence."
)
CITATION = (
    "Xinrui Wang and Jinze Yu. Learning to Cartoonize Using White-Box Cartoon Representations."
    " In Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR), 2020."
)
RELEASE_URL = (
    "https://github.com/SystemErrorWang/White-box-Cartoonization/raw/"
    "ee97277d7fd873b89e9b8e1341efe74e10dd4124/test_code/saved_models/"
)
RELEASE_FILES: tuple[RemoteFile, ...] = (
    RemoteFile("model-33999.index", 1_561, "f1749e5542e83cf01a19aa1b2a3a7370a17efa41"),
    RemoteFile("model-33999.data-00000-of-00001", 5_868_300, "785cdcb8a0ab9bf44171c087878cc84863562eab"),
)
TITLE = "White-box Cartoonization, the authors' release (Xinrui Wang, Jinze Yu)"
TOTAL_BYTES = sum(file.size for file in RELEASE_FILES)


def cache_folder() -> Path:
    """Return the user's cache folder of this program; it may not exist yet."""
    import platformdirs

    return platformdirs.user_cache_path("cartoonize", appauthor=False)


def release_folder() -> Path:
    """Return the folder where the authors' release is kept once it is fetched."""
    return cache_folder() / RELEASED


def is_here() -> bool:
    """Say whether every file of the release is in the cache, unchecked."""
    return all(os.path.isfile(release_folder() / file.name) for file in RELEASE_FILES)


def fetch(url: str | None = None, progress: Callable[[int], None] | None = None) -> Path:
    """Download the authors' release into the user's cache and return its folder; files already right are kept.

    url: another folder URL with the same two files. progress is called with the bytes so far, of TOTAL_BYTES.
    Raises WeightsError when the download fails or a file is not the authors'.
    """
    from cartoonize.generators.download import download

    download(url or RELEASE_URL, RELEASE_FILES, release_folder(), progress or _ignore)
    return release_folder()


def verify() -> None:
    """Check every file of the release in the cache; raises WeightsError with what is wrong and what to do."""
    for file in RELEASE_FILES:
        if reason := problem(release_folder() / file.name, file):
            raise WeightsError(f"{release_folder() / file.name}: {reason}; run `cartoonize weights fetch {RELEASED}`")


def _ignore(_bytes: int) -> None:
    """Report no progress."""
