package io.github.grpcresilience.autoconfigure.error;

import java.util.List;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.access.AuthorizationServiceException;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.security.core.AuthenticationException;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;

/**
 * What Spring Security's exceptions mean. Their texts tell too much, such as whether an
 * account exists. A broken directory or policy service is no fault of the caller, and
 * stays unmapped.
 */
public final class SpringSecurityErrors implements BuiltInErrors {

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(ErrorMapper.of(AuthenticationException.class, SpringSecurityErrors::unauthenticated),
				ErrorMapper.of(AccessDeniedException.class, SpringSecurityErrors::denied));
	}

	private static @Nullable GrpcError unauthenticated(AuthenticationException thrown) {
		return (thrown instanceof AuthenticationServiceException) ? null
				: GrpcError.answer(Status.Code.UNAUTHENTICATED)
					.reason("UNAUTHENTICATED")
					.message("the call needs valid credentials");
	}

	private static @Nullable GrpcError denied(AccessDeniedException thrown) {
		return (thrown instanceof AuthorizationServiceException) ? null
				: GrpcError.answer(Status.Code.PERMISSION_DENIED)
					.reason("PERMISSION_DENIED")
					.message("the caller is not permitted to do this");
	}

}
