"""Makes `inception_reference.npz`: what pytorch-fid and torch-fidelity make of the weights and pictures of the test.

python -m venv torch
torch/bin/pip install torch torchvision scipy tqdm pillow pytorch-fid==0.3.0 torch-fidelity==0.4.0
torch/bin/python tests/training/make_inception_reference.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytorch_fid.inception as published
import torch
from inception_weights import COUNT, pictures, random_weights
from pytorch_fid.fid_score import calculate_frechet_distance
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric


def network() -> published.InceptionV3:
    """Build pytorch-fid's network with random numbers in place of the download."""
    shapes: dict[str, tuple[int, ...]] = {}

    def numbers(*_args: object, **_keys: object) -> dict[str, torch.Tensor]:
        model = published._inception_v3(num_classes=1008, aux_logits=False, weights=None)
        shapes.update({name: tuple(value.shape) for name, value in model.state_dict().items()})
        drawn = random_weights({k: s for k, s in shapes.items() if s and not k.startswith("fc.")})
        filled = {name: torch.zeros(shape) for name, shape in shapes.items()}  # the classes, and counts of batches
        return filled | {name: torch.from_numpy(array) for name, array in drawn.items()}

    published.load_state_dict_from_url = numbers
    return published.InceptionV3().eval()


def main() -> None:
    """Write features of both sets, (n, 2048), their FID and their KID, of all pictures as the one subset."""
    model = network()
    a, b = (
        model(torch.from_numpy(np.stack(s).transpose(0, 3, 1, 2) / np.float32(255)))[0][..., 0, 0] for s in pictures()
    )
    moments = [part for x in (a, b) for part in (x.double().numpy().mean(0), np.cov(x.double().numpy(), rowvar=False))]
    subsets = {"kid_subsets": 1, "kid_subset_size": COUNT, "rng_seed": 0, "verbose": False}
    found = {
        "fid": calculate_frechet_distance(*moments),
        "kid": kid_features_to_metric(a.double(), b.double(), **subsets)[KEY_METRIC_KID_MEAN],
    }
    print(found, "features:", a.mean().item(), "spread:", a.std(0).mean().item())
    np.savez_compressed(Path(__file__).with_name("inception_reference.npz"), a=a.numpy(), b=b.numpy(), **found)


if __name__ == "__main__":
    with torch.no_grad():
        main()
