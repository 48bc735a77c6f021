-- The messages of one event and how far each has got. Notifications are those that the context may see.
-- Parameters: state, event.
with progress as (
    select n.campaign_id, jsonb_object_agg(n.status, n.persons) as counts, sum(n.persons) as total,
           max(n.last_at) as last_at
      from (select campaign_id, status, count(*) as persons, max(handed_over_at) as last_at
              from notification
             where registering_state = :state and event_id = :event
             group by campaign_id, status) n
     group by n.campaign_id
)
select c.campaign_id, c.mode, c.status, c.drafted_at, c.drafted_by, c.approved_at, c.approved_by, c.recipients,
       c.unreachable, coalesce(r.name, '') as rule_name, c.rule_id is not null as by_rule,
       coalesce(p.counts, '{}'::jsonb) as counts, coalesce(p.total, 0) as visible, p.last_at
  from campaign c
  left join message_rule r on r.registering_state = c.registering_state and r.rule_id = c.rule_id
  left join progress p on p.campaign_id = c.campaign_id
 where c.registering_state = :state and c.event_id = :event
 order by c.drafted_at desc, c.campaign_id
