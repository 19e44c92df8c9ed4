"""Any folder of pictures: ours beside libvips, Chromium and ExifTool; prints what differs, is refused or lost.

Without a folder: the combinations that the tests compare, as the table in docs/formats.md.

A file is listed where the mean difference is above 3 levels, where ours refuses what another shows, and with
--metadata where a tag is in the source, not in the result, and in no note.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cartoonize.errors import CartoonizeError
from cartoonize.media.codec import EncodeOptions, decode, encode
from cartoonize.media.formats import is_readable, result_format
from tests.media import decoders, exiftool
from tests.media.combinations import EXCEPTIONS, LIMIT, combinations

MOST_BYTES = 50 << 20  # what Chromium takes in an address


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--metadata", action="store_true", help="compare metadata with ExifTool (slow)")
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    with decoders.chromium() as browser:
        judges = {"libvips": decoders.by_vips} if decoders.have_vips() else {}
        judges |= {"Chromium": browser} if browser else {}
        if asked.folder is None:
            table(judges)
            return
        for path in sorted(path for path in asked.folder.rglob("*") if path.is_file() and is_readable(path)):
            counts["files"] += 1
            for kind, line in compared(path, judges):
                counts[kind] += 1
                if line:
                    print(f"{path.relative_to(asked.folder)}: {line}")
            if asked.metadata and exiftool.EXIFTOOL and (missing := lost(path)):
                counts["with tags lost"] += 1
                print(f"{path.relative_to(asked.folder)}: lost: {', '.join(missing)}")
    print(", ".join(f"{number} {name}" for name, number in counts.items()))


def table(judges: dict[str, decoders.Decoder]) -> None:
    """Print of every family how far each judge is at most, exceptions apart."""
    seen: dict[str, dict[str, list[float]]] = {}
    for name, data in combinations():
        family = " ".join(name.split()[: 2 if name.startswith("tiff") else 1])
        distances = seen.setdefault(family, {judge: [] for judge in judges} | {"files": []})
        distances["files"].append(0)
        ours = decoders.by_us(data)
        for judge, decode_ in judges.items():
            other, short = decode_(data), {"libvips": "vips", "Chromium": "chromium"}[judge]
            excepted = any(who == short and re.match(pattern, name) for who, pattern, _ in EXCEPTIONS)
            if other is not None and not excepted:
                distances[judge].append(float("inf") if ours is None else decoders.difference(ours, other))
    print("| written | files |" + "".join(f" compared with {judge}: files, most levels apart |" for judge in judges))
    for family, distances in seen.items():
        cells = (f"{len(some)}, {max(some):.1f}" if (some := distances[judge]) else "none" for judge in judges)
        print(f"| {family} | {len(distances['files'])} | {' | '.join(cells)} |")


def compared(path: Path, judges: dict[str, decoders.Decoder]) -> Iterator[tuple[str, str]]:
    data = path.read_bytes()
    try:
        decode(data)
        refusal = ""
    except CartoonizeError as error:
        refusal = str(error)
    ours = None if refusal else decoders.by_us(data)
    for name, judge in judges.items():
        other = judge(data) if len(data) < MOST_BYTES else None
        if other is None:
            continue
        if ours is None:
            yield f"refused that {name} shows", f"{name} shows it: {refusal}"
        elif (apart := decoders.difference(ours, other)) > LIMIT:
            yield f"unlike {name}", f"{apart:.1f} levels from {name}"
        else:
            yield f"like {name}", ""


def lost(path: Path) -> dict[str, object]:
    """Return the tags that its result lacks."""
    try:
        photo = decode(path)
        made = encode(photo, EncodeOptions(result_format(photo.format)))
    except CartoonizeError:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, f"result{path.suffix}")
        result.write_bytes(made.data)
        return exiftool.lost(path, result, photo.notes + made.notes)


if __name__ == "__main__":
    main()
