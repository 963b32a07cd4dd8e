create table stock (
  sku varchar(40) primary key,
  name varchar(80) not null,
  available int not null
);

create alias spin_until for "io.github.grpcresilience.sample.inventory.BusyDatabase.spinUntil";
