--liquibase formatted sql

--changeset app:1
create table things (thing int);

--changeset app:2
select pg_sleep(seconds) from pace;

--changeset app:3
create table more_things (thing int);
