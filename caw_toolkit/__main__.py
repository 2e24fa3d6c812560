"""`python -m caw_toolkit`: the same as the command `caw`."""

from caw_toolkit.cli import main

if __name__ == "__main__":
    main()
