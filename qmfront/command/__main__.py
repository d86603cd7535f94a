"""`python -m qmfront.command`, the same as `qmfront`."""

from qmfront.command.main import main

if __name__ == "__main__":
    raise SystemExit(main())
