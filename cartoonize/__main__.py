"""`python -m cartoonize`."""

from cartoonize.cli import main

if __name__ == "__main__":
    main()
