-- The protection and the refusals of everybody on a list, as of now: they bind whatever held when it was frozen.
-- Parameters: state, list.
with listed as (
    select migrant_id from list_line where registering_state = :state and list_id = :list
),
consent_now as (
    select distinct on (c.migrant_id, c.purpose, c.recipient_class) c.migrant_id, c.recipient_class, c.given
      from listed l
      join consent c on c.registering_state = :state and c.migrant_id = l.migrant_id
     order by c.migrant_id, c.purpose, c.recipient_class, c.at desc, c.consent_id desc
)
select m.migrant_id, m.protected,
       (select array_agg(c.recipient_class::text) from consent_now c
         where c.migrant_id = m.migrant_id and not c.given) as refused
  from listed l
  join migrant m on m.registering_state = :state and m.migrant_id = l.migrant_id
