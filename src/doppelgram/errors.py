"""The one exception that a user is meant to read."""


class DoppelgramError(Exception):
    """Something the user can mend: a bad file, row, key or option.

    ``str(error)`` is one sentence that says which thing is wrong and what to do. The command line prints
    it on one line and exits with status 2; nothing else of the program's own raising reaches a user.
    """


class DivergedError(DoppelgramError):
    """A training whose numbers grew beyond all bounds."""

    def __init__(self) -> None:
        """Say what helps."""
        super().__init__(
            "training diverged: the embeddings are not numbers any more; use a smaller optimiser.lr, or "
            "optimiser.clip=1"
        )


class Interrupted(DoppelgramError):
    """The user stopped what takes long; what was finished is kept, and the sentence says how to go on."""
