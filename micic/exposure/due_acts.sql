-- People's acts that this State has not crossed yet: alerts decided, areas declared, areas ended.
with act as (
    select m.event_id, 'declaration' as cause, d.decision_id as cause_id, d.decided_at as at
      from alert_decision d
      join message m on m.message_id = d.message_id
     where d.registering_state = :state
    union all
    select a.event_id, 'declaration', a.area_id, a.declared_at
      from declared_area a
     where a.registering_state = :state
    union all
    select a.event_id, 'expiry', a.area_id, a.ended_at
      from declared_area a
     where a.registering_state = :state and a.ended_at is not null
)
select event_id, cause, cause_id
  from act
 where not exists (select 1 from crossing c
                    where c.registering_state = :state and c.cause = act.cause and c.cause_id = act.cause_id)
 order by at, cause_id
 limit :limit
