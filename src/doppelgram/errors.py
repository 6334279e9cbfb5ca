"""The one exception that a user is meant to read."""


class DoppelgramError(Exception):
    """Something the user can mend: a bad file, row, key or option.

    ``str(error)`` is one sentence that says which thing is wrong and what to do. The command line prints
    it on one line and exits with status 2; nothing else of the program's own raising reaches a user.
    """
