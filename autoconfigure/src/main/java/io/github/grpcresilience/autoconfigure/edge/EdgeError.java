package io.github.grpcresilience.autoconfigure.edge;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/**
 * What an HTTP client is told of a failed gRPC call, in whatever form. Nothing in it says
 * more than clients may know. Immutable.
 *
 * @param status HTTP status
 * @param code gRPC status code
 * @param detail text for people; {@code null} if there is none, or none for clients
 * @param locale locale of the detail; {@code null} if it was not written for users
 * @param reason reason of the {@code ErrorInfo}; {@code null} if there is none
 * @param domain domain of the {@code ErrorInfo}; {@code null} if there is none
 * @param metadata metadata of the {@code ErrorInfo} that clients may see
 * @param requestId what to name when asking for help; {@code null} if nothing was said
 * @param violations what was wrong with the request
 * @param retryDelay when to try again; {@code null} if nothing was said
 */
public record EdgeError(int status, Status.Code code, @Nullable String detail, @Nullable String locale,
		@Nullable String reason, @Nullable String domain, Map<String, String> metadata, @Nullable String requestId,
		List<Violation> violations, @Nullable Duration retryDelay) {

	/**
	 * The same failure, by an id under which the log tells of it.
	 * @param id the id, if the failure has none of its own
	 */
	EdgeError named(Supplier<String> id) {
		return (this.requestId != null) ? this : new EdgeError(this.status, this.code, this.detail, this.locale,
				this.reason, this.domain, this.metadata, id.get(), this.violations, this.retryDelay);
	}

	/**
	 * The name of the status; 499 is nginx's and has none in RFC 9110.
	 */
	String title() {
		HttpStatus known = HttpStatus.resolve(this.status);
		return (known != null) ? known.getReasonPhrase()
				: (this.status == 499) ? "Client Closed Request" : "HTTP " + this.status;
	}

	/** Detail of {@code google.rpc} that lists violations. */
	enum Kind {

		BAD_REQUEST("BadRequest", "fieldViolations"), PRECONDITION_FAILURE("PreconditionFailure", "violations"),
		QUOTA_FAILURE("QuotaFailure", "violations");

		private final String type;

		private final String list;

		Kind(String type, String list) {
			this.type = type;
			this.list = list;
		}

		String type() {
			return this.type;
		}

		String list() {
			return this.list;
		}

	}

	/**
	 * One thing that was wrong.
	 *
	 * @param kind the detail that says so
	 * @param properties names and values, as in the detail
	 */
	record Violation(Kind kind, Map<String, String> properties) {
	}

}
