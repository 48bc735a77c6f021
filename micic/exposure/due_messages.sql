-- Accepted versions that this State has not crossed yet, in the order in which they came.
select m.message_id
  from message m
 where m.verdict = 'accepted'
   and not exists (select 1 from crossing c
                    where c.registering_state = :state and c.cause = 'message' and c.cause_id = m.message_id)
 order by m.received_at, m.message_id
 limit :limit
