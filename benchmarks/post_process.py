"""Guided filter at 720 x 1080 and the bring-up of its coefficients to 24 megapixels."""

from __future__ import annotations

import numpy as np
from measure import header, median_seconds, photo, row

from cartoonize.method.guided_filter import bring_up, detail_coefficients, filter_image


def main() -> None:
    header()
    work, large = photo(720, 1080), photo(4000, 6000)
    cartoon = np.random.default_rng(0).uniform(-1, 1, work.shape).astype(np.float32)
    A, b = detail_coefficients(work, cartoon, 1.0)
    row("guided filter, 720 x 1080", 1000 * median_seconds(lambda: filter_image(work, cartoon)), "ms")
    row("bring-up to 4000 x 6000", median_seconds(lambda: bring_up(large, A, b)))


if __name__ == "__main__":
    main()
