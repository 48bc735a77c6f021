-- Open exposures of one event by severity and presence. Parameters: state, event.
select coalesce(severity_inside, severity_possible) as severity,
       count(*) filter (where presence = 'inside') as inside,
       count(*) filter (where presence = 'possible') as possible
  from exposure
 where registering_state = :state and event_id = :event and ended_at is null
 group by 1
 order by 1 desc
