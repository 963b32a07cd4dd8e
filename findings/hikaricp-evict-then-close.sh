#!/bin/sh
# HikariCP: a connection that its user evicts cannot always be closed afterwards
#
# Seen with HikariCP 6.3.3 and 7.0.2 on H2 2.3.232.
#
# HikariDataSource.evictConnection(connection) is the public way to say "do not lend this
# one again", and its documentation says that eviction is immediate for a connection that
# has not been given back. Whoever evicts in the middle of a try-with-resources block then
# closes the connection as always. If nothing of its state was changed, that is fine. If
# setAutoCommit, setReadOnly, setTransactionIsolation and the like were called on it, as
# every framework with transactions does, close() ends in a NullPointerException that hides
# what the block wanted to throw: the pool resets the state of a connection that it has
# let go of already. The pool itself stays whole.
#
# Output seen, with either version:
#   plain:       closed
#   transaction: java.lang.NullPointerException
#   pool:        active 0, another connection works
#
# Exit: 0 while that holds, 1 if it has changed, 2 if it could not be tried.

set -u
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2

cat > Evict.java <<'JAVA'
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;

public class Evict {

	public static void main(String[] args) throws Exception {
		try (HikariDataSource pool = new HikariDataSource()) {
			pool.setJdbcUrl("jdbc:h2:mem:evict");
			pool.setMaximumPoolSize(2);
			System.out.println("plain:       " + evict(pool, false));
			System.out.println("transaction: " + evict(pool, true));
			try (Connection another = pool.getConnection()) {
				another.createStatement().execute("select 1");
			}
			System.out.println("pool:        active " + pool.getHikariPoolMXBean().getActiveConnections()
					+ ", another connection works");
		}
	}

	private static String evict(HikariDataSource pool, boolean transaction) throws Exception {
		Connection connection = pool.getConnection();
		if (transaction) {
			connection.setAutoCommit(false);
		}
		connection.createStatement().execute("select 1");
		pool.evictConnection(connection);
		try {
			connection.close();
			return "closed";
		}
		catch (RuntimeException ex) {
			return ex.getClass().getName();
		}
	}

}
JAVA

expected='plain:       closed
transaction: java.lang.NullPointerException
pool:        active 0, another connection works'

for version in 6.3.3 7.0.2; do
	for artifact in com.zaxxer:HikariCP:$version org.slf4j:slf4j-api:2.0.17 com.h2database:h2:2.3.232; do
		mvn -q -B dependency:copy -Dartifact="$artifact" -DoutputDirectory="$work/$version" \
			-Dmdep.useBaseVersion=true > mvn.log 2>&1 || { cat mvn.log; exit 2; }
	done
	javac -cp "$version/*" -d "$version" Evict.java || exit 2
	seen=$(java -cp "$version:$version/*" Evict 2> java.log) || { cat java.log; exit 2; }
	printf 'HikariCP %s\n%s\n' "$version" "$seen"
	[ "$seen" = "$expected" ] || exit 1
done
