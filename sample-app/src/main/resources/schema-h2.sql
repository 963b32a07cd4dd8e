create alias if not exists spin_until for "io.github.grpcresilience.sample.inventory.BusyDatabase.spinUntil";
