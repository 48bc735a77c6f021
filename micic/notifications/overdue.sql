-- What must not leave any more: its message expired, or a person stopped its campaign.
-- Parameters: state, now.
update notification n
   set status = case when c.status = 'stopped' then 'stopped' else 'expired' end
  from campaign c
 where n.registering_state = :state and n.mode = 'live' and n.status in ('created', 'temporary_failure')
   and c.registering_state = n.registering_state and c.campaign_id = n.campaign_id
   and (n.expires_at <= :now or c.status = 'stopped')
