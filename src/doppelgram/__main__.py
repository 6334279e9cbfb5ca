"""``python -m doppelgram`` is the command ``doppelgram``."""

from doppelgram.cli import main

if __name__ == "__main__":
    main()
