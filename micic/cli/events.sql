-- Open situations first, the worst on top.
select s.event_id, s.title, s.began_at,
       count(*) filter (where e.presence = 'inside') as inside,
       count(*) filter (where e.presence = 'possible') as possible,
       max(coalesce(e.severity_inside, e.severity_possible)) as worst, s.closed_at
  from situation s
  left join exposure e on e.registering_state = s.registering_state and e.event_id = s.event_id
                      and e.ended_at is null
 where s.registering_state = :state
 group by s.registering_state, s.event_id
 order by s.closed_at is not null, worst desc nulls last, s.began_at desc
