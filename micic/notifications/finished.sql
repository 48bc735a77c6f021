-- A campaign is done when nothing of it is due any more; what stays uncertain for a person to decide is not due.
-- Parameters: state, held_after (beyond this a notification is held, not waiting).
update campaign c
   set status = 'done'
 where c.registering_state = :state and c.mode = 'live' and c.status = 'sending'
   and not exists (select 1 from notification n
                    where n.registering_state = c.registering_state and n.campaign_id = c.campaign_id
                      and (n.status in ('created', 'sending', 'temporary_failure')
                           or n.status = 'uncertain' and n.run_at < now() + :held_after))
