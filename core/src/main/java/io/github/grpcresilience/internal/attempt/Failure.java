package io.github.grpcresilience.internal.attempt;

import io.grpc.Metadata;
import io.grpc.Status;

/**
 * How an attempt has failed, as its caller is told if no other one does better.
 * Immutable.
 *
 * @param attempt the attempt, which has closed
 * @param status how it ended
 * @param trailers what came with that
 */
record Failure<ReqT, RespT>(Attempt<ReqT, RespT> attempt, Status status, Metadata trailers) {
}
