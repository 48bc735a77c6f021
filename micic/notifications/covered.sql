-- For whom an answer speaks: always the writer, whatever their record has become, and, when it is for the household,
-- the living members of the household that was written to, if the writer still belongs to it. A writer who lives apart
-- speaks for themselves only, and nobody speaks for a member who lives apart.
-- Parameters: state, event, migrant, household, everybody.
select m.migrant_id, e.migrant_id is not null as is_exposed, m.state_of_record = 'deceased' as is_deceased
  from migrant w
  join migrant m on m.registering_state = w.registering_state
                and (m.migrant_id = w.migrant_id
                     or cast(:everybody as boolean) and m.household_id = w.household_id
                        and w.household_id = :household and m.state_of_record <> 'deceased'
                        and not m.lives_apart and not w.lives_apart)
  left join exposure e on e.registering_state = m.registering_state and e.event_id = :event
                      and e.migrant_id = m.migrant_id and e.ended_at is null
 where w.registering_state = :state and w.migrant_id = :migrant
 order by m.migrant_id <> :migrant, m.is_head desc, m.born_on, m.migrant_id
