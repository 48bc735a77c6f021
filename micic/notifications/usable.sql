-- Whether an address `p` of a member `m` may be written to: it did not bounce, nobody else reads what is for a protected
-- person, and no message of the rule in the event failed there since it was verified or written down.
-- Parameters: state, event, rule.
coalesce(p.verified_at > p.bounced_at, p.bounced_at is null)
   and not (m.protected and p.others_read_it)
   and not exists (select 1 from notification n
                     join campaign c on c.registering_state = n.registering_state
                                    and c.campaign_id = n.campaign_id
                    where n.registering_state = :state and n.migrant_id = p.migrant_id
                      and n.event_id = :event and c.rule_id = :rule and n.status = 'permanent_failure'
                      and n.contact_point_id = p.contact_point_id
                      and n.created_at >= greatest(p.verified_at, p.recorded_at))
