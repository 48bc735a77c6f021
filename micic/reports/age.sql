-- How old the locations are that the open exposures of one event rest on, in seconds: median, 90th percentile, how
-- many, and how many older than a day. Parameters: state, event, now.
with used as (
    select e.migrant_id, case when e.presence = 'inside' then e.location_inside else e.location_possible end as location_id
      from exposure e
     where e.registering_state = :state and e.event_id = :event and e.ended_at is null
),
aged as (
    select extract(epoch from :now - max(w.observed_at)) as age_s
      from used u
      join whereabouts w on w.registering_state = :state and w.migrant_id = u.migrant_id
                        and w.location_id = u.location_id
     group by u.migrant_id
)
select percentile_cont(0.5) within group (order by age_s) as median_s,
       percentile_cont(0.9) within group (order by age_s) as p90_s,
       count(*) as persons, count(*) filter (where age_s > 86400) as older_than_a_day
  from aged
