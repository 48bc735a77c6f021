-- Who is reported dead, in whatever event, without an officer's later word. Goes into the statements that choose whom to
-- write to: the reported neither get a message nor are the reason of one.
-- Parameters: state.
    select w.migrant_id
      from welfare_entry w
     where w.registering_state = :state and w.state = 'dead'
       and not exists (select 1 from welfare_entry later
                        where later.registering_state = w.registering_state and later.event_id = w.event_id
                          and later.migrant_id = w.migrant_id and later.state <> 'dead'
                          and later.trust = 'authenticated' and later.recorded_at > w.recorded_at)
