create table things (thing int);
