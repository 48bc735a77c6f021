"""USGS earthquakes: `feed` asks and tells, `payload` reads. What the source is known to do: docs/feeds/usgs.md."""

from alerts.feeds.usgs.feed import CIRCLES, CONTOURS, DETAIL, POLICY, SUMMARY, ZONES_INCOMPLETE, UsgsFeed
from alerts.feeds.usgs.payload import Quake

__all__ = ["CIRCLES", "CONTOURS", "DETAIL", "POLICY", "SUMMARY", "ZONES_INCOMPLETE", "Quake", "UsgsFeed"]
