-- The other events whose alerts share a series with this one's: a cancel may name alerts of several events.
select distinct other.event_id
  from message m
  join message other on other.feed = m.feed and other.series = m.series
 where m.event_id = :event and other.event_id <> :event
