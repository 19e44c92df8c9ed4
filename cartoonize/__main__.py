"""The program `cartoonize`, and `python -m cartoonize`."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line; before it is there, Ctrl-C ends the process without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as under nohup
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cartoonize.cli.streams import occupy_closed

    occupy_closed()
    from cartoonize.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
