-- The exposed people of one event by map cell: the table that says what the map shows. Parameters: state, event,
-- shift (two bits per level below the cell's 28), size.
select cell >> :shift as prefix, count(*) as persons, count(*) filter (where presence = 'inside') as inside,
       count(*) filter (where presence = 'possible') as possible,
       max(coalesce(severity_inside, severity_possible)) as severity
  from exposure
 where registering_state = :state and event_id = :event and ended_at is null
 group by 1
 order by inside desc, persons desc, prefix
 limit :size
