"""Who is who: one name for each person, however it is spelled, and whether a record says a name or a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def join_authors(names: Sequence[str], ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """One author for each row, and notes of what was joined.

    An ``@`` in front and capitals make no difference. A number that stands beside a name anywhere is that person; a
    person of several names has the most frequent one.

    Args:
        names: as the rows spell them, empty where not known.
        ids: the numbers of the same persons, empty where not known.
    """
    keys = [_key(name) for name in names]
    spelled: dict[str, Counter[str]] = {}
    of_id: dict[str, Counter[str]] = {}
    for name, key, number in zip(names, keys, ids, strict=True):
        if key:
            spelled.setdefault(key, Counter())[name.strip().removeprefix("@")] += 1
            if number and number != key:
                of_id.setdefault(number, Counter())[key] += 1
    # A person who changed the name has one number and several names.
    same: dict[str, str] = {}
    for found in of_id.values():
        best = max(found, key=lambda key: (found[key], key))
        same |= {key: best for key in found if key != best}
    result, by_number = [], 0
    for key, number in zip(keys, ids, strict=True):
        wanted = number if not key else key if key.isdigit() else ""
        if wanted in of_id:
            by_number += 1
            key = max(of_id[wanted], key=lambda one: (of_id[wanted][one], one))
        key = same.get(key, key)
        result.append(spelled[key].most_common(1)[0][0] if key in spelled else key or number)
    notes = []
    if by_number:
        notes.append(f"the author of {by_number:,} row{'s' * (by_number > 1)} is known by number, and named by others")
    several = [" and ".join(map(repr, sorted(found))) for found in spelled.values() if len(found) > 1]
    if several:
        more = f", and {len(several) - 1} more" if len(several) > 1 else ""
        notes.append(f"spellings of one author: {several[0]}{more}")
    if same:
        old, new = next(iter(same.items()))
        notes.append(
            f"{old!r} and {new!r} are one author by number" + (f", and {len(same) - 1} more" * (len(same) > 1))
        )
    return result, notes


def _key(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
