-- The login roles of a cluster. Run once per cluster by a superuser; safe to run again. Sets no password:
-- the private cluster needs none (socket only), a deployment sets its own.
-- No running role is a superuser, may bypass row-level security or may make roles. The one exception is
-- micic_backup: pg_dump turns row-level security off, so it bypasses it, and can only read.
do $$
declare
  name text;
begin
  foreach name in array array[
    'micic_owner',     -- owns the database and the tables, runs the migrations
    'micic_app',       -- the doors: pages, API, command line
    'micic_worker',    -- feeds, crossing, outbox of live campaigns
    'micic_exercise',  -- the outbox of exercises
    'micic_public',    -- the public forms: inserts only
    'micic_readonly',  -- figures and watching
    'micic_backup'     -- pg_dump
  ] loop
    if not exists (select from pg_catalog.pg_roles where rolname = name) then
      execute format('create role %I', name);
    end if;
    if name <> 'micic_backup' then
      execute format(
        'alter role %I login nosuperuser nocreatedb nocreaterole noreplication nobypassrls noinherit', name);
    end if;
  end loop;
end
$$;

alter role micic_backup login nosuperuser nocreatedb nocreaterole noreplication bypassrls inherit;
alter role micic_backup set default_transaction_read_only = on;
grant pg_read_all_data to micic_backup;

alter role micic_readonly set default_transaction_read_only = on;
