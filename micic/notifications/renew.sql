-- Parameters: state, lease, notifications, attempts (two arrays of one length).
update notification n
   set run_at = now() + :lease
  from unnest(cast(:notifications as uuid[]), cast(:attempts as integer[])) as o (notification_id, attempt)
 where n.registering_state = :state and n.notification_id = o.notification_id and n.attempts = o.attempt
   and n.status = 'sending'
returning n.notification_id
