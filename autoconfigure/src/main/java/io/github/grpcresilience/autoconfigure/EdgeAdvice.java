package io.github.grpcresilience.autoconfigure;

import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/**
 * Answers failed gRPC calls that no advice of the application handles.
 */
@RestControllerAdvice
@Order(Ordered.LOWEST_PRECEDENCE)
final class EdgeAdvice {

	private final HttpEdge edge;

	EdgeAdvice(HttpEdge edge) {
		this.edge = edge;
	}

	/**
	 * Spring looks for handlers of the causes, too, and passes what was thrown. Throwing
	 * that again leaves it to whoever is next.
	 */
	@ExceptionHandler({ StatusRuntimeException.class, StatusException.class })
	ResponseEntity<Object> handle(Throwable thrown, HttpServletRequest request, HttpServletResponse response)
			throws Throwable {
		if (!HttpEdge.isFailedCall(thrown)
				|| this.edge.isExempt(request.getContentType(), () -> EdgeFilter.path(request))) {
			throw thrown;
		}
		EdgeRequest known = EdgeFilter.find(request);
		if (response.isCommitted()) {
			this.edge.failedInTheMiddle(known, thrown);
			throw thrown;
		}
		if (known != null) {
			known.served().end(); // what is written now is no response that a budget ends
		}
		EdgeAnswer answer = this.edge.answer(thrown, known, request.getRequestURI());
		return ResponseEntity.status(answer.status()).headers(answer.headers()).body(answer.body());
	}

}
