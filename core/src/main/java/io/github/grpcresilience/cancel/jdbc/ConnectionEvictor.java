package io.github.grpcresilience.cancel.jdbc;

import java.sql.Connection;

/**
 * Keeps a connection that is about to be aborted from going back to its pool.
 */
@FunctionalInterface
public interface ConnectionEvictor {

	/** For data sources without a pool, or with one that checks what it is given back. */
	ConnectionEvictor NONE = (connection) -> {
	};

	/**
	 * Evicts a connection. Called while another thread may still use it.
	 * @param connection the connection as the pool handed it out
	 */
	void evict(Connection connection);

}
