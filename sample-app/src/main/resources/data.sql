insert into stock (sku, name, available) values
  ('SKU-1', 'Garden bench', 1000000000),
  ('SKU-OUT', 'Garden table', 0);
