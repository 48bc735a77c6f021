-- Why persons who stood on the previous version are gone, for those of whom the freeze reads nothing any more: nobody
-- of their household is where it is bad and served by this post. {news} as in freeze.sql.
-- Parameters: state, event, post, migrants.
with subject as (
    select unnest(cast(:migrants as uuid[])) as migrant_id
),
{news}
select s.migrant_id,
       case when m.migrant_id is null then 'erased'
            when m.state_of_record = 'deceased' then 'deceased'
            when n.movement in ('departed', 'at_hub', 'admitted', 'onward', 'home', 'handed_over')
                 and n.movement_trust = 'authenticated' then 'departed'
            when x.migrant_id is not null then 'moved_post'
            else 'left_area' end as reason
  from subject s
  left join migrant m on m.registering_state = :state and m.migrant_id = s.migrant_id
  left join exposure x on x.registering_state = :state and x.event_id = :event and x.migrant_id = s.migrant_id
                      and x.ended_at is null and coalesce(x.serving_post_id, x.keeper_post_id) <> :post
  left join news n on n.migrant_id = s.migrant_id
