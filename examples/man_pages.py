"""Make manual pages of the command line: `python examples/man_pages.py ~/.local/share/man/man1`."""

from __future__ import annotations

import sys
from pathlib import Path

from click_man.core import write_man_pages

from cartoonize import __version__
from cartoonize.cli.app import cartoonize


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_man_pages("cartoonize", cartoonize, version=__version__, target_dir=folder)
    for name, command in cartoonize.others.items():
        write_man_pages(f"cartoonize {name}", command, version=__version__, target_dir=folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/man_pages.py FOLDER")
    main(Path(sys.argv[1]))
