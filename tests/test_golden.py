from __future__ import annotations

import pytest

from cartoonize.generators.weights import BUILTIN

from .conftest import psnr, read
from .golden.make import NAMES, cartoon, golden


@pytest.mark.parametrize("weights", BUILTIN)
@pytest.mark.parametrize("name", NAMES)
def test_the_built_in_weights_still_give_the_same_pictures(name: str, weights: str) -> None:
    # Processors differ in the last bit, which may be a level.
    assert psnr(cartoon(name, weights), read(golden(name, weights))) > 45
