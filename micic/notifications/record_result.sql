-- What became of one try, unless somebody else has claimed the notification since: the number of the try is the
-- fence. Tells whether it was still ours, the status of the campaign, so that a stop is seen between messages, and
-- whether the person is still on the record.
-- Parameters: state, notification, attempt, status, due_in, reason, reference, now, outcome, detail, contact_point.
with kept as (
    update notification
       set status = cast(:status as text), run_at = now() + :due_in, last_error = :reason,
           handed_over_at = case when cast(:status as text) = 'sent' then cast(:now as timestamptz) else handed_over_at end,
           provider_reference = coalesce(:reference, provider_reference)
     where registering_state = :state and notification_id = :notification and attempts = :attempt
       and status in ('sending', 'uncertain')
    returning campaign_id
),
ended as (
    update delivery_attempt
       set ended_at = :now, outcome = :outcome, detail = :detail
     where registering_state = :state and notification_id = :notification and attempt = :attempt
),
bounced as (
    update contact_point
       set bounced_at = :now
     where registering_state = :state and contact_point_id = cast(:contact_point as uuid)
)
select (select count(*) from kept) > 0 as was_ours, c.status,
       exists (select 1 from migrant m
                where m.registering_state = n.registering_state and m.migrant_id = n.migrant_id) as person_exists
  from notification n
  join campaign c on c.registering_state = n.registering_state and c.campaign_id = n.campaign_id
 where n.registering_state = :state and n.notification_id = :notification
