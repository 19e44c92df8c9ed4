"""What each operator does to shapes, and to the rows and columns of the picture that a result depends on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cartoonize.errors import WeightsError
from cartoonize.generators.graph.mixes import MIXES
from cartoonize.generators.graph.numbers import ARITHMETIC
from cartoonize.generators.graph.reading import Operator
from cartoonize.generators.graph.values import Followed, Value, known
from cartoonize.generators.graph.windows import WINDOWS

_FOLLOW = WINDOWS | MIXES


def follow(operator: Operator, inputs: Sequence[Value]) -> Followed:
    """Return an operator's results for inputs in a trace; raises WeightsError when they do not fit it."""
    try:
        if operator.name in ARITHMETIC and all(value.numbers is not None for value in inputs):
            numbers = np.asarray(ARITHMETIC[operator.name](operator, [known(value) for value in inputs]))
            return Followed((Value(numbers.shape, numbers, constant=True),))
        return _FOLLOW[operator.name](operator, inputs)
    except WeightsError:
        raise
    except (ValueError, IndexError, TypeError, ArithmeticError, KeyError) as error:
        raise WeightsError(f"{operator.name} does not fit what it is given ({error})") from error


def multiplications(operator: Operator, inputs: Sequence[Value], followed: Followed) -> int:
    """Count the multiplications of an operator that has followed; 0 for those that hardly compute."""
    results = math.prod(followed.values[0].shape)
    match operator.name:
        case "CONV_2D" | "FULLY_CONNECTED":
            return results * math.prod(inputs[1].shape[1:])
        case "DEPTHWISE_CONV_2D":
            return results * math.prod(inputs[1].shape[1:3])
        case "TRANSPOSE_CONV":
            return math.prod(inputs[2].shape) * math.prod(inputs[1].shape[:3])
        case "BATCH_MATMUL":
            return results * inputs[0].shape[-2 if operator.options["AdjX"] else -1]
    return 0
