-- What must not leave any more: its message expired, or a person stopped its campaign. Rows that others hold wait for
-- the next sweep.
-- Parameters: state, now.
with overdue as (
    select n.notification_id, case when c.status = 'stopped' then 'stopped' else 'expired' end as status
      from notification n
      join campaign c on c.registering_state = n.registering_state and c.campaign_id = n.campaign_id
     where n.registering_state = :state and n.mode = 'live' and n.status in ('created', 'temporary_failure')
       and (n.expires_at <= :now or c.status = 'stopped')
       for update of n skip locked
)
update notification n
   set status = o.status
  from overdue o
 where n.registering_state = :state and n.notification_id = o.notification_id
