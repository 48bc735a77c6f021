-- A batch of persons whose locations changed, with everybody of their households, under a lock until the commit.
with batch as materialized (
    select r.recross_id, r.migrant_id, r.cause
      from recross r
     where r.registering_state = :state
     order by r.requested_at, r.recross_id
     limit :limit
       for update skip locked
)
select b.recross_id, b.cause, m.migrant_id
  from batch b
  left join migrant one on one.registering_state = :state and one.migrant_id = b.migrant_id
  left join migrant m on m.registering_state = :state and m.household_id = one.household_id
