-- Claims what is due, oldest first, for one State: others skip the locked rows. The lease and `now()` are database
-- time. The try is written down in the same transaction, before anybody is dialled.
-- Parameters: state, channel, size, lease, now (domain time, for the record).
with due as (
    select n.notification_id, n.status as prior
      from notification n
      join campaign c on c.registering_state = n.registering_state and c.campaign_id = n.campaign_id
     where n.registering_state = :state and n.mode = 'live' and n.channel = :channel
       and n.status in ('created', 'temporary_failure', 'uncertain') and n.run_at <= now()
       and c.status = 'sending'
     order by n.run_at, n.notification_id
     limit :size
       for update of n skip locked
),
claimed as (
    update notification n
       set status = 'sending', attempts = n.attempts + 1, run_at = now() + :lease
      from due d
     where n.registering_state = :state and n.notification_id = d.notification_id
    returning n.*, d.prior
),
begun as (
    insert into delivery_attempt (registering_state, notification_id, attempt, started_at)
    select :state, notification_id, attempts, :now from claimed
)
select c.notification_id, c.attempts as attempt, c.prior, c.campaign_id, c.event_id, c.migrant_id, c.contact_point_id,
       c.language, c.payload, c.expires_at, coalesce((p.snapshot ->> 'life_safety')::boolean, false) as life_safety,
       t.failures, t.doubts
  from claimed c
  join campaign p on p.registering_state = :state and p.campaign_id = c.campaign_id
 cross join lateral (
        select count(*) filter (where a.outcome = 'temporary_failure') as failures,
               count(*) filter (where a.outcome = 'uncertain') as doubts
          from delivery_attempt a
         where a.registering_state = :state and a.notification_id = c.notification_id) t
 order by c.notification_id
