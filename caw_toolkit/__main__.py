"""The command `caw`, and `python -m caw_toolkit`, which is the same."""

import sys


def main() -> None:
    """Import the command and run it; Ctrl-C meanwhile is said in a line, too."""
    try:
        from caw_toolkit.cli import main as command
    except KeyboardInterrupt:
        sys.stderr.write("caw: error: interrupted\n")
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
