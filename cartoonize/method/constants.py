"""The method's numbers that several rooms need, without imports, so that the command line's help can show them."""

from __future__ import annotations

REGIONS = 200  # superpixels of a structure, about
MU = 1.0  # exponent of their colours; the paper's 1.2 darkens, the authors advise 1
SURFACE_RADIUS, SURFACE_EPS = 5, 0.2  # of the surface's guided filter, in the paper and in the release
TRAINING_EPS = 1e-2  # of the cartoons' guided filter while a generator is trained; afterwards it is smaller
