"""The program `cartoonize`, and `python -m cartoonize`."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command line; before it is there, Ctrl-C ends the process without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as under nohup
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name, mode in (("stdin", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed, as by `2>&-`: read nothing, say it to nobody
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  as long as the process
    from cartoonize.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
