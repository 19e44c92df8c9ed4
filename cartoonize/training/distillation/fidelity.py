"""How close a picture comes to the teacher's: PSNR, SSIM and the share of flat pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from cartoonize.method.pixels import Image

FLAT_BELOW = 1.0  # levels of luma gradient per pixel


@dataclass(frozen=True)
class Fidelity:
    """Likeness to a reference: `psnr` in dB, `ssim` in [-1, 1], `flat` the picture's own flat share in [0, 1]."""

    psnr: float
    ssim: float
    flat: float


def measure(picture: Image, reference: Image) -> Fidelity:
    """Compare a picture with its reference, both uint8 (H, W, 3) RGB of at least 7x7."""
    psnr = peak_signal_noise_ratio(reference, picture)  # type: ignore[no-untyped-call]  # scikit-image ships no types
    ssim = structural_similarity(reference, picture, channel_axis=2)  # type: ignore[no-untyped-call]  # scikit-image ships no types
    return Fidelity(float(psnr), float(ssim), flat_share(picture))


def mean(values: list[Fidelity]) -> Fidelity:
    """Average over pictures, each counting the same whatever its size."""
    psnr, ssim, flat = np.mean([(value.psnr, value.ssim, value.flat) for value in values], axis=0)
    return Fidelity(float(psnr), float(ssim), float(flat))


def flat_share(picture: Image) -> float:
    """Return the share of pixels whose luma gradient (Sobel/8) is below one level; picture uint8 (H, W, 3) RGB."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = (cv2.Sobel(luma, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=1 / 8) for dx in (1, 0))
    return float(np.mean(np.hypot(across, down) < FLAT_BELOW))
