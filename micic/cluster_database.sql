-- What a superuser must put into the current database before the migrations can run as micic_owner; safe to
-- run again. The database belongs to micic_owner.
create extension if not exists postgis;
create extension if not exists pg_trgm;
create extension if not exists fuzzystrmatch;
create extension if not exists unaccent;
create extension if not exists btree_gist;
create extension if not exists pgcrypto;

do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to micic_app, micic_worker, micic_exercise, micic_public,'
                 ' micic_readonly, micic_backup', current_database());
  execute format('grant temporary on database %I to micic_app, micic_worker, micic_exercise',
                 current_database());
end
$$;

-- explicit: micic_owner does not inherit from pg_database_owner
alter schema public owner to micic_owner;
revoke all on schema public from public;
grant usage on schema public to micic_app, micic_worker, micic_exercise, micic_public, micic_readonly,
  micic_backup;
