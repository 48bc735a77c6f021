-- A lease that ran out: the worker died or hung, and nobody knows whether the message left. It is recorded as
-- uncertain, never sent again blindly. Rows that others hold are theirs to settle: no waiting, so no deadlock.
-- Parameters: state, now.
with lapsed as (
    select notification_id, attempts
      from notification
     where registering_state = :state and mode = 'live' and status = 'sending' and run_at <= now()
       for update skip locked
),
doubted as (
    update notification n
       set status = 'uncertain', run_at = now(), last_error = 'lease ran out'
      from lapsed l
     where n.registering_state = :state and n.notification_id = l.notification_id
)
update delivery_attempt a
   set ended_at = :now, outcome = 'uncertain', detail = 'lease ran out'
  from lapsed l
 where a.registering_state = :state and a.notification_id = l.notification_id and a.attempt = l.attempts
