-- The protection and the refusals of everybody on a list, as of now: they bind whatever held when it was frozen.
-- Parameters: state, list.
with listed as materialized (
    select migrant_id from list_line where registering_state = :state and list_id = :list
),
consent_now as (
    select distinct on (c.migrant_id, c.purpose, c.recipient_class) c.migrant_id, c.recipient_class, c.given
      from listed l
      join consent c on c.registering_state = :state and c.migrant_id = l.migrant_id
     order by c.migrant_id, c.purpose, c.recipient_class, c.at desc, c.consent_id desc
),
refusal as (
    select migrant_id, array_agg(distinct recipient_class::text) as refused
      from consent_now
     where not given
     group by migrant_id
)
select m.migrant_id, m.protected, r.refused
  from listed l
  join migrant m on m.registering_state = :state and m.migrant_id = l.migrant_id
  left join refusal r on r.migrant_id = l.migrant_id
