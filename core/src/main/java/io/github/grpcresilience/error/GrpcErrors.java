package io.github.grpcresilience.error;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.DebugInfo;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Help;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RequestInfo;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.status.Causes;
import io.github.grpcresilience.internal.status.StatusDetails;

/**
 * What a failed call says: its status, and the details that came with it
 * ({@code google/rpc/error_details.proto}). Details are decoded when asked for. Reading
 * never throws, whatever the peer sent: what cannot be read is absent. Immutable, safe
 * for concurrent use.
 */
public final class GrpcErrors {

	private static final List<Class<? extends Message>> STANDARD = List.of(ErrorInfo.class, RetryInfo.class,
			DebugInfo.class, QuotaFailure.class, PreconditionFailure.class, BadRequest.class, RequestInfo.class,
			ResourceInfo.class, Help.class, LocalizedMessage.class);

	private final Status status;

	private final @Nullable Metadata trailers;

	/** Decoded once by whoever is first; two that are first at once find the same. */
	private volatile @Nullable List<Any> details;

	private GrpcErrors(Status status, @Nullable Metadata trailers) {
		this.status = status;
		this.trailers = trailers;
	}

	/**
	 * Reads a failure.
	 * @param thrown any exception; the status is the first that it or one of its causes
	 * holds
	 * @return what it says; {@code UNKNOWN} without details if it holds no status
	 */
	public static GrpcErrors from(@Nullable Throwable thrown) {
		for (Throwable cause : Causes.of(thrown)) {
			Status status = Causes.statusOf(cause);
			if (status != null) {
				return new GrpcErrors(status, Causes.trailersOf(cause));
			}
		}
		return new GrpcErrors(Status.UNKNOWN.withCause(thrown), null);
	}

	/**
	 * Status code of the call.
	 * @return the code
	 */
	public Status.Code code() {
		return this.status.getCode();
	}

	/**
	 * The status that the call ended with.
	 * @return the status
	 */
	public Status status() {
		return this.status;
	}

	/**
	 * What the status says, for developers.
	 * @return the text; empty if it says nothing
	 */
	public String message() {
		String description = this.status.getDescription();
		return (description != null) ? description : "";
	}

	/**
	 * Why the call failed, in a form that programs can rely on (AIP-193).
	 * @return the {@code reason} of the {@link ErrorInfo}
	 */
	public Optional<String> reason() {
		return errorInfo().map(ErrorInfo::getReason);
	}

	/**
	 * Who says so.
	 * @return the {@code domain} of the {@link ErrorInfo}
	 */
	public Optional<String> domain() {
		return errorInfo().map(ErrorInfo::getDomain);
	}

	/**
	 * What else programs may want to know.
	 * @return the {@code metadata} of the {@link ErrorInfo}; empty if there is none
	 */
	public Map<String, String> metadata() {
		return errorInfo().map(ErrorInfo::getMetadataMap).orElseGet(Map::of);
	}

	/**
	 * Reason, domain and metadata.
	 * @return the first detail of this type
	 */
	public Optional<ErrorInfo> errorInfo() {
		return find(ErrorInfo.class);
	}

	/**
	 * How long to wait before the call is made again.
	 * @return the delay of the {@link RetryInfo}, not negative; empty if there is none or
	 * its value is out of range
	 */
	public Optional<Duration> retryDelay() {
		return find(RetryInfo.class).filter(RetryInfo::hasRetryDelay)
			.map(RetryInfo::getRetryDelay)
			.filter((delay) -> delay.getSeconds() >= 0 && delay.getNanos() >= 0 && delay.getNanos() < 1_000_000_000)
			.map((delay) -> Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
	}

	/**
	 * Fields of the request that are wrong.
	 * @return the first detail of this type
	 */
	public Optional<BadRequest> badRequest() {
		return find(BadRequest.class);
	}

	/**
	 * Quotas that are used up.
	 * @return the first detail of this type
	 */
	public Optional<QuotaFailure> quotaFailure() {
		return find(QuotaFailure.class);
	}

	/**
	 * What has to be mended before the call can succeed.
	 * @return the first detail of this type
	 */
	public Optional<PreconditionFailure> preconditionFailure() {
		return find(PreconditionFailure.class);
	}

	/**
	 * By what the call can be asked for later.
	 * @return the first detail of this type
	 */
	public Optional<RequestInfo> requestInfo() {
		return find(RequestInfo.class);
	}

	/**
	 * The resource that the failure is about.
	 * @return the first detail of this type
	 */
	public Optional<ResourceInfo> resourceInfo() {
		return find(ResourceInfo.class);
	}

	/**
	 * A text for users, in their language.
	 * @return the first detail of this type
	 */
	public Optional<LocalizedMessage> localizedMessage() {
		return find(LocalizedMessage.class);
	}

	/**
	 * Where to read more.
	 * @return the first detail of this type
	 */
	public Optional<Help> help() {
		return find(Help.class);
	}

	/**
	 * Stack trace of the server; for developers only.
	 * @return the first detail of this type
	 */
	public Optional<DebugInfo> debugInfo() {
		return find(DebugInfo.class);
	}

	/**
	 * Finds a detail.
	 * @param <T> its type
	 * @param type class of the message, a standard one or one of your own
	 * @return the first detail of this type that can be read
	 */
	public <T extends Message> Optional<T> find(Class<T> type) {
		for (Any detail : details()) {
			try {
				if (detail.is(type)) {
					return Optional.of(detail.unpack(type));
				}
			}
			catch (InvalidProtocolBufferException | RuntimeException ex) {
				// Says what it is and is something else: as good as absent.
			}
		}
		return Optional.empty();
	}

	/**
	 * Everything that came along.
	 * @return the details in the order in which they were sent; empty if there are none
	 * or they cannot be read
	 */
	public List<Any> details() {
		List<Any> found = this.details;
		if (found == null) {
			found = StatusDetails.read(this.trailers);
			this.details = found;
		}
		return found;
	}

	/**
	 * Details of types that are not among the standard ones.
	 * @return the details as they came
	 */
	public List<Any> otherDetails() {
		List<Any> others = new ArrayList<>(details());
		others.removeIf((detail) -> STANDARD.stream().anyMatch(detail::is));
		return Collections.unmodifiableList(others);
	}

	@Override
	public String toString() {
		return code() + reason().map((reason) -> " " + reason).orElse("");
	}

}
