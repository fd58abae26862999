"""`python -m exosync` is the same as `exosync`."""

from exosync.cli import main

if __name__ == "__main__":
    main()
