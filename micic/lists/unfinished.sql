-- The crossings of which it is not written that every post they reached has its lists. Parameters: state.
select c.crossing_id
  from crossing c
 where c.registering_state = :state
   and not exists (select 1 from list_run r
                    where r.registering_state = :state and r.crossing_id = c.crossing_id and r.post_id is null)
