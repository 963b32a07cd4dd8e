package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.sql.Connection;
import java.util.Set;
import java.util.function.Supplier;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.cancel.jdbc.CallConnections;
import io.github.grpcresilience.internal.cancel.jdbc.ConnectionLender;

/**
 * Covers the pools of one library beneath, in place: the bean stays what it is, and the
 * connections that it lends are ours.
 */
interface PoolCover {

	/**
	 * Whether a data source is a pool of the library.
	 */
	boolean fits(DataSource dataSource);

	/**
	 * What is beneath a pool.
	 * @return our connections; {@code null} if the pool is not covered
	 */
	@Nullable CallConnections find(DataSource pool);

	/**
	 * Puts our connections beneath a pool that is not covered.
	 * @throws IllegalStateException if this release of the library cannot be covered
	 */
	void cover(DataSource pool, Factory connections);

	/**
	 * Longest time that a pool waits for a connection.
	 * @return milliseconds; {@code Long.MAX_VALUE} for no bound
	 */
	long maxWaitMillis(DataSource pool);

	/**
	 * Makes the connections of a pool.
	 */
	@FunctionalInterface
	interface Factory {

		/**
		 * The connections of a pool that executes these statements itself.
		 */
		CallConnections create(Supplier<Set<String>> ownStatements);

	}

	/**
	 * What a pool gets its connections from, with ours around them.
	 */
	record Beneath(CallConnections connections, ConnectionLender lender) {

		Connection around(Connection connection) {
			return this.connections.beneath(connection, this.lender);
		}

	}

}
