package io.github.grpcresilience.event;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.status.Reason;

/**
 * Something that happened and that somebody may want to know. Immutable.
 */
public sealed interface ResilienceEvent {

	/**
	 * Side of the call.
	 * @return the side
	 */
	Side side();

	/**
	 * Full name of the method.
	 * @return {@code package.Service/Method}
	 */
	String method();

	/**
	 * Name of the client on the client side.
	 * @return the name; {@code null} on the server side
	 */
	@Nullable String client();

	/**
	 * A call was ended or refused, or would have been in mode {@code observe}.
	 *
	 * @param side side of the call
	 * @param method full name of the method
	 * @param client name of the client; {@code null} on the server side
	 * @param reason why
	 * @param enforced {@code false} if only observed
	 */
	record CallEnded(Side side, String method, @Nullable String client, Reason reason,
			boolean enforced) implements ResilienceEvent {
	}

	/**
	 * A stream runs without any deadline; told once per method.
	 *
	 * @param side side of the call
	 * @param method full name of the method
	 * @param client name of the client; {@code null} on the server side
	 */
	record StreamWithoutDeadline(Side side, String method, @Nullable String client) implements ResilienceEvent {
	}

	/**
	 * A call failed in a way that nobody has an answer for.
	 *
	 * @param side side of the call
	 * @param method full name of the method
	 * @param client name of the client; {@code null} on the server side
	 * @param thrown what was thrown
	 * @param id what the caller was told to ask for: the trace's id where there is one
	 */
	record UnhandledError(Side side, String method, @Nullable String client, Throwable thrown,
			String id) implements ResilienceEvent {
	}

	/**
	 * An answer had to be cut, since it would have broken the connection.
	 *
	 * @param side side of the call
	 * @param method full name of the method
	 * @param client name of the client; {@code null} on the server side
	 */
	record AnswerTrimmed(Side side, String method, @Nullable String client) implements ResilienceEvent {
	}

	/**
	 * Work went on although the call that began it had ended: it was refused or stopped,
	 * or its transaction was committed all the same; told once a kind of work, of what
	 * became of it, and method.
	 *
	 * @param side {@code SERVER}
	 * @param method full name of the method, or what else the work was begun for
	 * @param client {@code null}
	 * @param work kind of the work
	 * @param fate what became of it
	 */
	record WorkAfterEnd(Side side, String method, @Nullable String client, Work work,
			WorkFate fate) implements ResilienceEvent {
	}

	/**
	 * A failed call was not attempted again although its code would have allowed it.
	 *
	 * @param side side of the call
	 * @param method full name of the method
	 * @param client name of the client
	 * @param end why
	 */
	record AttemptsEnded(Side side, String method, @Nullable String client, AttemptEnd end) implements ResilienceEvent {
	}

	/**
	 * The channel of a client retries or hedges calls itself, so this library does not;
	 * told once per method.
	 *
	 * @param side side of the call
	 * @param method full name of the method
	 * @param client name of the client
	 */
	record AttemptsOfChannel(Side side, String method, @Nullable String client) implements ResilienceEvent {
	}

	/**
	 * A finding that could not be known at start; told once per method.
	 *
	 * @param side side of the call
	 * @param method full name of the method, or what a policy takes for one
	 * @param client name of the client
	 * @param id stable name of the kind of finding
	 * @param message what was found
	 * @param remedy what to do about it
	 */
	record LateFinding(Side side, String method, @Nullable String client, String id, String message,
			String remedy) implements ResilienceEvent {
	}

}
