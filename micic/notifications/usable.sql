-- Whether an address `p` of a member `m` may be written to: it did not bounce, nobody else reads what is for a protected
-- person, and no message of the rule in the event failed there since it was verified or written down.
-- Parameters: state, event, rule.
coalesce(p.verified_at > p.bounced_at, p.bounced_at is null)
   and not (m.protected and p.others_read_it)
   and not exists (select 1 from (select campaign_id, event_id, status, contact_point_id, created_at
                                    from notification
                                   where registering_state = :state and migrant_id = p.migrant_id
                                  offset 0) n
                     join campaign c on c.registering_state = :state and c.campaign_id = n.campaign_id
                    where n.event_id = :event and c.rule_id = :rule and n.status = 'permanent_failure'
                      and n.contact_point_id = p.contact_point_id
                      and n.created_at >= greatest(p.verified_at, p.recorded_at))
