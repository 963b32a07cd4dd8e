create table if not exists stock (
  sku varchar(40) primary key,
  name varchar(80) not null,
  available int not null
);
