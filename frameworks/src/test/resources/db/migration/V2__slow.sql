select pg_sleep(seconds) from pace;
