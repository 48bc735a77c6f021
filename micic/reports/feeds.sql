-- How fresh each feed is, and what its last poll brought. Parameters: none.
select f.name, f.cadence_s, f.enabled, f.polled_at, f.succeeded_at, f.failures,
       l.outcome, l.reason, l.ended_at, l.created, l.updated, l.unchanged, l.rejected
  from feed f
  left join lateral (select * from feed_fetch t where t.feed = f.name order by t.started_at desc limit 1) l on true
 order by f.name
