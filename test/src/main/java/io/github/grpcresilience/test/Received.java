package io.github.grpcresilience.test;

import java.net.InetSocketAddress;
import java.time.Duration;

import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

/**
 * A call as it arrived at a {@link FaultyServer}, before it was answered. Safe for
 * concurrent use as long as nobody changes the headers.
 *
 * @param method full name of the method, such as {@code shop.v1.Inventory/Get}
 * @param headers what the client sent, without what is HTTP/2's own
 * @param peer the client's end of the connection
 * @param connection number of the connection, counted from 1 for each server
 * @param previousAttempts how many attempts of the same call the client says to have made
 * before, in {@code grpc-previous-rpc-attempts}
 * @param timeout time that the client gave, in {@code grpc-timeout}; null if it gave none
 */
public record Received(String method, Metadata headers, InetSocketAddress peer, int connection, int previousAttempts,
		@Nullable Duration timeout) {

}
