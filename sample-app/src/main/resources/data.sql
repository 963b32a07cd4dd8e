insert into stock (sku, name, available)
  select sku, name, available
  from (select 'SKU-1' as sku, 'Garden bench' as name, 1000000000 as available
    union all select 'SKU-OUT', 'Garden table', 0) articles
  where not exists (select 1 from stock);
