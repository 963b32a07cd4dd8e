package io.github.grpcresilience.internal.connection;

import io.grpc.ConnectivityState;
import org.jspecify.annotations.Nullable;

/**
 * One backend of a client, as it is at this moment. Immutable.
 *
 * @param address where it is
 * @param state of its connection
 * @param connectedSeconds how old the connection is; {@code null} while there is none
 * @param calls attempts that were sent to it since it is known
 * @param ejected whether it gets no calls while others can take them, since too many
 * failed of late
 * @param silent whether it gets hardly any calls while others can take them, since it was
 * asked and says nothing
 * @param lastError why it could not be connected the last time; {@code null} if it never
 * failed
 */
public record BackendState(String address, ConnectivityState state, @Nullable Long connectedSeconds, long calls,
		boolean ejected, boolean silent, @Nullable String lastError) {
}
