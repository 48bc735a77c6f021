-- A lease that ran out: the worker died or hung, and nobody knows whether the message left. It is recorded as
-- uncertain, never sent again blindly.
-- Parameters: state, now.
with lapsed as (
    update notification
       set status = 'uncertain', run_at = now(), last_error = 'lease ran out'
     where registering_state = :state and mode = 'live' and status = 'sending' and run_at <= now()
    returning notification_id, attempts
)
update delivery_attempt a
   set ended_at = :now, outcome = 'uncertain', detail = 'lease ran out'
  from lapsed l
 where a.registering_state = :state and a.notification_id = l.notification_id and a.attempt = l.attempts
