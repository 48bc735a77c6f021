"""Numbers, times and ages as people read them. Pure; the language is given."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def number(value: int, language: str = "en") -> str:
    """1204 -> 1,204 (English), in ASCII digits in every language: figures are read out across desks."""
    if language == "ar":
        return format_decimal(value, locale="en")
    return format_decimal(value, locale=language)


def signed(value: int, language: str = "en") -> str:
    """+37, -4, ±0: with a true minus sign."""
    if not value:
        return "±0"
    return f"{'+' if value > 0 else '−'}{number(abs(value), language)}"


def percent(share: float, language: str = "en") -> str:
    """0.217 -> 22%; below one percent one decimal."""
    pattern = "#,##0%" if share >= 0.01 or not share else "#,##0.0%"
    return format_percent(share, pattern, locale="en" if language == "ar" else language)


def about(value: int, language: str = "en") -> str:
    """An estimate in two significant figures: 1,903 -> 1,900."""
    if value < 100:
        return number(value, language)
    return number(round(value, 2 - len(str(value))), language)


def age(span: timedelta | float) -> str:
    """40 s, 12 min, 2 h, 26 h, 5 d: one unit, rounded down."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    seconds = max(seconds, 0.0)
    for limit, unit, name in ((90, 1.0, "s"), (90 * MINUTE, MINUTE, "min"), (48 * HOUR, HOUR, "h")):
        if seconds < limit:
            return f"{int(seconds / unit)} {name}"
    return f"{int(seconds / DAY)} d"


def clock(at: datetime) -> str:
    """14:10 UTC"""
    return f"{at.astimezone(UTC):%H:%M} UTC"


def moment(at: datetime, now: datetime, language: str = "en") -> str:
    """14:10 UTC today; else with the day: 12 Nov 14:10 UTC (and the year when it is another)."""
    utc = at.astimezone(UTC)
    if utc.date() == now.astimezone(UTC).date():
        return clock(utc)
    return f"{day(utc.date(), language, with_year=utc.year != now.year)} {clock(utc)}"


def day(on: date, language: str = "en", *, with_year: bool = True) -> str:
    """12 Nov 2026"""
    return format_date(on, "d MMM y" if with_year else "d MMM", locale=language)


def local_clock(at: datetime, zone: str) -> str:
    """17:10 in a time zone of the IANA list; empty when this machine does not know it."""
    try:
        return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
    except (ZoneInfoNotFoundError, ValueError):
        return ""
