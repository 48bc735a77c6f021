-- Alerts that the gate held and on which this State has not decided, newest first; with event given, one event's.
-- A later accepted version, or the end of the message, makes the question moot. Parameters: state, event, now, size.
select m.message_id, m.event_id, m.feed, m.title, m.kind, m.status, m.test_suspected, m.severity, m.native_severity,
       m.verdict_reasons, m.sent_at, m.received_at, m.sender, m.valid_until,
       coalesce((select t.headline from message_text t where t.message_id = m.message_id order by t.position limit 1),
                '') as headline,
       (select count(*) from zone z where z.message_id = m.message_id) as zones
  from message m
 where m.verdict = 'held'
   and (cast(:event as uuid) is null or m.event_id = :event)
   and coalesce(m.ended_at > :now, true) and coalesce(m.valid_until > :now, true)
   and not exists (select 1 from alert_decision d
                    where d.registering_state = :state and d.message_id = m.message_id)
 order by (m.status <> 'actual'), m.received_at desc, m.message_id
 limit :size
