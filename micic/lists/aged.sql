-- The posts whose lists are to be looked at again without a crossing: because something was told of the people on them
-- since the last run (histories only grow, so that unequal counts mean news), or because the last run is long ago.
-- Parameters: state, settled_before, refresh_before.
with last_run as (
    select distinct on (r.event_id, r.post_id) r.event_id, r.post_id, r.at, r.news
      from list_run r
      join situation s on s.registering_state = r.registering_state and s.event_id = r.event_id
                      and s.closed_at is null and s.mode = 'live'
     where r.registering_state = :state and r.post_id is not null
     order by r.event_id, r.post_id, r.at desc, r.run_id desc
),
latest as (
    select l.event_id, l.post_id, l.at, l.news,
           (select p.list_id from person_list p
             where p.registering_state = :state and p.event_id = l.event_id and p.post_id = l.post_id
               and p.kind = 'assistance'
             order by p.version desc limit 1) as list_id
      from last_run l
     where l.at <= :settled_before
)
select l.event_id, l.post_id
  from latest l
 where l.at <= :refresh_before
    or l.news <> (select coalesce(sum(
                             (select count(*) from welfare_entry e
                               where e.registering_state = :state and e.event_id = l.event_id
                                 and e.migrant_id = n.migrant_id)
                           + (select count(*) from movement_entry e
                               where e.registering_state = :state and e.event_id = l.event_id
                                 and e.migrant_id = n.migrant_id)
                           + (select count(*) + count(e.closed_at) from need e
                               where e.registering_state = :state and e.migrant_id = n.migrant_id)), 0)
                    from list_line n
                   where n.registering_state = :state and n.list_id = l.list_id)
