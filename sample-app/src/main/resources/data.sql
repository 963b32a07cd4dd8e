insert into stock (sku, name, available)
  select sku, name, available
  from (values ('SKU-1', 'Garden bench', 1000000000), ('SKU-OUT', 'Garden table', 0)) as articles (sku, name, available)
  where not exists (select 1 from stock);
