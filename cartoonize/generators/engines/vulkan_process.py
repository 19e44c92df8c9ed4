"""The process that owns the GPU: ncnn on Vulkan, which ends a process where a device is lost or its memory is full.

Started by `vulkan` as `python -m`, which sends an order and then pictures, each a line of JSON and the bytes that it
announces, and gets the same back. It ends with its standard input. Nothing but ncnn and NumPy is imported, so that
neither TensorFlow's LLVM meets that of a driver, nor does starting again take long.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_SOFTWARE = 3  # VK_PHYSICAL_DEVICE_TYPE_CPU


class RefusalError(Exception):
    """The order cannot be carried out; `what` is one of those that `vulkan` has words for."""

    def __init__(self, what: str, *details: object) -> None:
        super().__init__(what)
        self.answer = {"refused": what, "details": list(details)}


def main() -> None:
    """Carry out one order: list the devices, or draw pictures until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which closes the pipe
    requests = sys.stdin.buffer
    with _answers() as answers:
        order = json.loads(requests.readline())
        try:
            ncnn = _library()
            if "device" not in order:
                _send(answers, {"devices": _devices(ncnn)})
                return
            net = _net(ncnn, order, requests)
        except RefusalError as refusal:
            _send(answers, refusal.answer)
            return
        _send(answers, {"ready": True})
        pictures: SimpleQueue[NDArray[np.float32]] = SimpleQueue()
        threading.Thread(target=_draw_all, args=(ncnn, net, pictures, answers), daemon=True).start()
        for line in requests:
            shape = json.loads(line)["shape"]
            data = _received(requests, 4 * int(np.prod(shape)))
            pictures.put(np.frombuffer(data, np.float32).reshape(shape))
        os._exit(0)  # nobody waits any more for what is drawn


def _draw_all(ncnn: ModuleType, net: Any, pictures: SimpleQueue[NDArray[np.float32]], answers: BinaryIO) -> None:
    """Draw pictures in a thread of their own, so that the end of the program is heard meanwhile."""
    try:
        while True:
            drawn = _drawn(ncnn, net, pictures.get())
            _send(answers, {"shape": drawn.shape}, drawn)
    finally:
        os._exit(1)  # as a driver's crash


@contextmanager
def _answers() -> Iterator[BinaryIO]:
    """Keep standard output for answers, and whatever a driver prints out of them."""
    with os.fdopen(os.dup(1), "wb") as answers:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.close(sink)
        yield answers


def _send(answers: BinaryIO, words: dict[str, Any], picture: NDArray[np.float32] | None = None) -> None:
    answers.write(json.dumps(words).encode() + b"\n")
    if picture is not None:
        answers.write(np.ascontiguousarray(picture).data.cast("B"))
    answers.flush()


def _received(requests: BinaryIO, count: int) -> bytes:
    data = requests.read(count)
    if len(data) < count:
        os._exit(0)  # the program has ended
    return data


def _library() -> ModuleType:
    try:
        import ncnn
    except ImportError:
        raise RefusalError("library") from None
    library: ModuleType = ncnn
    return library


def _devices(ncnn: ModuleType) -> list[tuple[str, bool]]:
    """Return each device's name, and whether it is one in software."""
    infos = [ncnn.get_gpu_info(index) for index in range(ncnn.get_gpu_count())]
    return [(info.device_name(), info.type() == _SOFTWARE) for info in infos]


def _net(ncnn: ModuleType, order: dict[str, Any], requests: BinaryIO) -> Any:
    parameters, weights = (_received(requests, size) for size in order["sizes"])
    index = _index(ncnn, order["device"])
    net = ncnn.Net()
    _configure(net.opt, order["threads"], order["precision"])
    net.set_vulkan_device(index)
    with TemporaryDirectory() as folder:
        (Path(folder) / "param").write_bytes(parameters)
        (Path(folder) / "bin").write_bytes(weights)
        if net.load_param(f"{folder}/param"):
            raise RefusalError("generator")
        # ncnn goes on without a device that it could not send the weights to.
        if net.load_model(f"{folder}/bin") or not net.opt.use_vulkan_compute:
            raise RefusalError("weights", ncnn.get_gpu_info(index).device_name())
    return net


def _index(ncnn: ModuleType, device: str) -> int:
    count = ncnn.get_gpu_count()
    if not count:
        raise RefusalError("driver")
    if ":" not in device:
        return int(ncnn.get_default_gpu_index())
    index = int(device.split(":")[1])
    if index >= count:
        raise RefusalError("device", device, count - 1)
    return index


def _configure(option: Any, threads: int, precision: str) -> None:
    option.use_vulkan_compute = True
    option.num_threads = threads
    # Faster convolutions of this kind round in blocks that begin with the picture: tiles would differ from the whole.
    option.use_winograd_convolution = False
    option.use_fp16_packed = option.use_fp16_storage = precision == "float16"
    option.use_fp16_arithmetic = option.use_bf16_storage = False


def _drawn(ncnn: ModuleType, net: Any, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Draw a picture [c, h, w]; an empty array where the device could not."""
    extractor = net.create_extractor()
    extractor.input("in0", ncnn.Mat(picture))  # only points to it
    code, output = extractor.extract("out0")
    return np.zeros(0, np.float32) if code else np.array(output)


if __name__ == "__main__":
    main()
