"""Times of posts: every spelling that exports use, each at its moment in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from doppelgram.dataset.columns import is_empty
from doppelgram.errors import DoppelgramError

_UNIX = re.compile(r"-?\d{9,10}(\.\d+)?|0")
_UNIX_FINER = re.compile(r"\d{12,13}|\d{15,16}|\d{18,19}")  # milliseconds, microseconds, nanoseconds
# 2019122004 is four in the morning or, in seconds since 1970, a day in 2033; 201912200427 in milliseconds one in 1976.
_AMBIGUOUS = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d)?")
_COMPACT = re.compile(r"^(\d{8})(\d{6})$")
_EXIF = re.compile(r"(\d{4})[:/.](\d\d)[:/.](\d\d)(?=$|[ T])")
_CLOCK = re.compile(
    r"(?P<day>.*\d,?)[ T](?P<hour>\d{1,2})(?P<rest>:\d\d(?::\d\d(?:\.\d+)?)?)"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?P<zone>.*)"
)
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d\d)(?=$|[ ,T])")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d\d)(?=$|[ ,T])")
_SIXTY = re.compile(r"(:\d\d):60(?=\D|$)")
# Hours from UTC of the zones that tables name by letters (CrowdTangle writes those of the east of America).
_LETTERS = {"UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8}
_LETTERS |= {"PDT": -7, "CET": 1, "CEST": 2, "BST": 1, "EET": 2, "EEST": 3, "JST": 9, "MSK": 3}
_ZONE = re.compile(rf" ?({'|'.join(_LETTERS)})$")
_FINER_THAN_MICROSECONDS = re.compile(r"(\.\d{6})\d+")
_NO_DATE = re.compile(r"0000[-:]00[-:]00.*")
_OFFSET_WITHOUT_COLON = re.compile(r"(:\d\d(?:\.\d+)?) ?(?:UTC|GMT)$")
_NAMED = (
    *("%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S", "%d %b %Y %H:%M:%S"),
    *(
        "%a, %d %b %Y %H:%M:%S%z",
        "%b %d, %Y, %H:%M:%S%z",
        "%b %d, %Y, %H:%M:%S %z",
        "%b %d, %Y, %H:%M:%S",
        "%b %d, %Y %H:%M",
        "%b %d, %Y, %H:%M",
        "%b %d, %Y",
    ),
    *("%d %B %Y %H:%M", "%d %B %Y", "%B %d, %Y"),
)
_EARLIEST, _LATEST = 1900, 2200
# A post cannot be of the future; a clock that is itself wrong must not make all of them so.
_NOW = max(datetime.now(UTC), datetime(2026, 1, 1, tzinfo=UTC)) + timedelta(days=2)
_SHOWN = 2


class Clock:
    """Reads times; those that name no zone of their own are taken to be of one that is given.

    Attributes:
        zone: that zone, by its IANA name.
        naive: how many of the times read so far named no zone.
        unread: what was no time, and where, of those read by `try_read`.
        future: times that lie in the future, and where; they count as not known.
    """

    def __init__(self, zone: str = "UTC") -> None:
        try:
            self._zone = ZoneInfo(zone)
        except (KeyError, ValueError, OSError):  # not found, a path instead of a name, a folder of the data base
            raise DoppelgramError(
                f"the time zone '{zone}' is not known; give an IANA name such as Europe/Berlin, or UTC"
            ) from None
        self.zone = zone
        self.naive = 0
        self.unread: list[str] = []
        self.future: list[str] = []
        self._day_first: bool | None = None

    def learn(self, values: Iterable[str]) -> None:
        """See from all values of a column whether ``3/4/2020`` is in March or April: some number is above twelve."""
        pairs = [(int(match[1]), int(match[2])) for text in values if (match := _SLASHES.match(text))]
        day, month = any(first > 12 for first, _ in pairs), any(second > 12 for _, second in pairs)
        self._day_first = None if day == month else day

    def read(self, value: Any, where: str) -> datetime | None:
        """The moment in UTC, or None where there is no date.

        Understood are ISO 8601, EXIF's colons (2019:12:20 04:27:27), 20191220042727, seconds since 1970 and their
        thousandths, and a weekday's name in front as some exports write it. Of a time that the change to winter gives
        twice, the first is taken; one that the change to summer leaves out is moved on by the hour.

        Args:
            value: text, a number, a `datetime`, or nothing.
            where: what to call the place in an error, such as ``posts.csv: row 7``.

        Raises:
            DoppelgramError: there is something else, digits that may be a date or seconds, or a year that no post can
                be of.
        """
        text = "" if value is None else str(value).strip()
        if text.isdigit() and _AMBIGUOUS.fullmatch(text):
            raise DoppelgramError(
                f"{where}: timestamp '{text}' may be a date or a number of seconds since 1970; "
                f"write {text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:] or '00'} or a time with a zone"
            )
        if (slashes := _SLASHES.match(text)) and self._day_first is None and int(slashes[1]) <= 12 >= int(slashes[2]):
            raise DoppelgramError(
                f"{where}: timestamp {text[:60]!r} may have the day first or the month; write 2019-12-20"
            )
        moment = _parse(value, self._day_first)
        if moment is None:
            if is_empty(text) or _NO_DATE.fullmatch(text):
                return None
            raise DoppelgramError(
                f"{where}: timestamp {text[:60]!r} is not a date and time such as 2019-12-20T04:27:27Z"
            )
        if moment.tzinfo is None:
            self.naive += 1
            moment = moment.replace(tzinfo=self._zone)
        if not _EARLIEST <= moment.year <= _LATEST:
            raise DoppelgramError(f"{where}: timestamp {str(value)[:60]!r} lies in the year {moment.year}")
        moment = moment.astimezone(UTC)
        if moment > _NOW:
            self.future.append(f"{where}: {moment:%Y-%m-%d}")
            return None
        return moment

    def try_read(self, value: Any, where: str) -> datetime | None:
        """As `read`, but what is no time counts as not known, and is remembered in ``unread``."""
        try:
            return self.read(value, where)
        except DoppelgramError as problem:
            self.unread.append(str(problem))
            return None

    def notes(self) -> list[str]:
        """Sentences on times that cannot be read, lie in the future, or name no zone."""
        notes = []
        if self.unread:
            one = len(self.unread) == 1
            count = (
                "1 time cannot be read and counts" if one else f"{len(self.unread):,} times cannot be read and count"
            )
            notes.append(f"{count} as not known: {_some(self.unread)}")
        if self.future:
            one = len(self.future) == 1
            count = "1 time lies" if one else f"{len(self.future):,} times lie"
            notes.append(f"{count} in the future and count{'s' * one} as not known: {_some(self.future)}")
        return [*notes, *filter(None, [self.note() and f"{self.note()} (--timezone)"])]

    def note(self) -> str:
        """A sentence about times without a zone; empty if there were none."""
        if not self.naive:
            return ""
        which = "1 time names" if self.naive == 1 else f"{self.naive:,} times name"
        return f"{which} no time zone and {'is' if self.naive == 1 else 'are'} read as {self.zone}"


def _some(things: list[str]) -> str:
    more = f"; and {len(things) - _SHOWN:,} more" if len(things) > _SHOWN else ""
    return "; ".join(things[:_SHOWN]) + more


def is_time(value: Any) -> bool:
    """Whether `Clock.read` takes a value for a time."""
    try:
        return Clock().read(value, "") is not None
    except DoppelgramError:
        return False


def time_column(moments: Sequence[datetime | None]) -> pd.Series:
    """Moments as a column of a collection's table: UTC times, NaT where there is none."""
    return pd.Series(pd.to_datetime(pd.Series(list(moments), dtype=object), utc=True))


def _parse(value: Any, day_first: bool | None = None) -> datetime | None:
    if isinstance(value, datetime):
        return None if value != value else value  # pandas' NaT is a datetime that differs from itself
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    if text[4:5] == "-" and (moment := _iso(text)):  # nearly all are spelled so
        return moment
    if _UNIX.fullmatch(text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(text))
    if _UNIX_FINER.fullmatch(text):
        microseconds = int(text) * 1000 if len(text) < 14 else int(text) if len(text) < 17 else int(text) // 1000
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    text = _COMPACT.sub(r"\1T\2", " ".join(text.split()))
    text = _EXIF.sub(r"\1-\2-\3", text, count=1)
    text = _DAY_FIRST.sub(lambda found: _day(found[3], found[2], found[1]), text, count=1)
    text = _SLASHES.sub(lambda found: _slashes(found, day_first), text, count=1)
    text = _FINER_THAN_MICROSECONDS.sub(r"\1", text)
    text = _OFFSET_WITHOUT_COLON.sub(r"\1+00:00", text)
    text = _ZONE.sub(lambda found: f"{_LETTERS[found[1]]:+03d}:00", text) if text[:1].isdigit() else text
    if moment := _iso(text) or _by_the_clock(text):
        return moment
    text = re.sub(r"\b(GMT|UTC)$", "+0000", text)
    match = _CLOCK.fullmatch(text)
    text = f"{match['day']} {_hour(match)}{match['rest']}{match['zone']}" if match and match["half"] else text
    for form in _NAMED:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


def _by_the_clock(text: str) -> datetime | None:
    """A time with an hour of one digit, of half a day, or 24, or with a second 60, which is the next minute."""
    match = _CLOCK.fullmatch(text)
    if not match or (hour := _hour(match)) > 24:
        return None
    rest, sixty = _SIXTY.subn(r"\1:59", match["rest"])
    moment = _iso(f"{match['day'].rstrip(',')}T{0 if hour == 24 else hour:02d}{rest}{match['zone'].replace(' ', '')}")
    if moment is None:
        return None
    return moment + timedelta(days=int(hour == 24), seconds=int(sixty > 0))


def _hour(match: re.Match[str]) -> int:
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    return hour % 12 + 12 * (half == "p") if half and hour <= 12 else hour


def _day(year: str, month: str, day: str) -> str:
    return f"{year if len(year) == 4 else f'20{year}'}-{int(month):02d}-{int(day):02d}"


def _slashes(found: re.Match[str], day_first: bool | None) -> str:
    first = day_first if day_first is not None else int(found[1]) > 12
    return _day(found[3], found[2], found[1]) if first else _day(found[3], found[1], found[2])


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
