package io.github.grpcresilience.internal.cancel;

/**
 * A task that brings its Context along, and so is not handed that of the call which
 * submits it.
 */
public interface OwnContext extends Runnable {

}
