"""Times of posts: every spelling that exports use, each at its moment in UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
_EXIF = re.compile(r"(\d{4}):(\d\d):(\d\d)(?=$|[ T])")
_FINER_THAN_MICROSECONDS = re.compile(r"(\.\d{6})\d+")
_NO_DATE = re.compile(r"0000[-:]00[-:]00.*")
_OFFSET_WITHOUT_COLON = re.compile(r"(:\d\d(?:\.\d+)?) ?(?:UTC|GMT)$")
_WEEKDAY_FIRST = ("%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z")
_EARLIEST, _LATEST = 1900, 2200


class Clock:
    """Reads times; those that name no zone of their own are taken to be of one that is given.

    Attributes:
        zone: that zone, by its IANA name.
        naive: how many of the times read so far named no zone.
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
        moment = _parse(value)
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
        return moment.astimezone(UTC)

    def note(self) -> str:
        """A sentence about times without a zone; empty if there were none."""
        if not self.naive:
            return ""
        which = "1 time names" if self.naive == 1 else f"{self.naive:,} times name"
        return f"{which} no time zone and {'is' if self.naive == 1 else 'are'} read as {self.zone}"


def is_time(value: Any) -> bool:
    """Whether `Clock.read` takes a value for a time."""
    try:
        return Clock().read(value, "") is not None
    except DoppelgramError:
        return False


def time_column(moments: Sequence[datetime | None]) -> pd.Series:
    """Moments as a column of a collection's table: UTC times, NaT where there is none."""
    return pd.Series(pd.to_datetime(pd.Series(list(moments), dtype=object), utc=True))


def _parse(value: Any) -> datetime | None:
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
    text = _COMPACT.sub(r"\1T\2", text)
    text = _EXIF.sub(r"\1-\2-\3", text, count=1)
    text = _FINER_THAN_MICROSECONDS.sub(r"\1", text)
    text = _OFFSET_WITHOUT_COLON.sub(r"\1+00:00", text)
    if moment := _iso(text):
        return moment
    for form in _WEEKDAY_FIRST:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
