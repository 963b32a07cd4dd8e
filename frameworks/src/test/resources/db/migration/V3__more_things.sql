create table more_things (thing int);
