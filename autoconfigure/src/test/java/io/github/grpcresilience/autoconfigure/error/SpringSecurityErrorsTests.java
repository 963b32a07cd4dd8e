package io.github.grpcresilience.autoconfigure.error;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.access.AuthorizationServiceException;
import org.springframework.security.authentication.AuthenticationCredentialsNotFoundException;
import org.springframework.security.authentication.BadCredentialsException;
import org.springframework.security.authentication.InternalAuthenticationServiceException;
import org.springframework.security.authentication.UsernamePasswordAuthenticationToken;
import org.springframework.security.authentication.dao.DaoAuthenticationProvider;
import org.springframework.security.authorization.AuthorityAuthorizationManager;
import org.springframework.security.authorization.AuthorizationDeniedException;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.crypto.factory.PasswordEncoderFactories;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;

import io.github.grpcresilience.autoconfigure.Answers;
import io.github.grpcresilience.error.GrpcError;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class SpringSecurityErrorsTests {

	private static final UserDetailsService USERS = new InMemoryUserDetailsManager(
			User.withUsername("secret-ann").password("{noop}secret-word").authorities("BUYER").build());

	private final SpringSecurityErrors errors = new SpringSecurityErrors();

	@Test
	void wrongPasswordAndUnknownUserLookTheSame() {
		Throwable wrong = thrownByLogin(USERS, "secret-ann");
		Throwable unknown = thrownByLogin(USERS, "secret-bob");
		assertThat(wrong).isInstanceOf(BadCredentialsException.class);
		assertUnauthenticated(wrong);
		assertThat(Answers.text(Answers.map(this.errors, unknown)))
			.isEqualTo(Answers.text(Answers.map(this.errors, wrong)));
	}

	@Test
	void missingCredentialsAreUnauthenticated() {
		assertUnauthenticated(new AuthenticationCredentialsNotFoundException("secret"));
	}

	@Test
	void brokenDirectoryIsNoFaultOfTheCaller() {
		Throwable thrown = thrownByLogin((name) -> {
			throw new IllegalStateException("secret directory");
		}, "secret-ann");
		assertThat(thrown).isInstanceOf(InternalAuthenticationServiceException.class);
		assertThat(Answers.map(this.errors, thrown)).isNull();
		assertThat(Answers.map(this.errors, new AuthorizationServiceException("secret"))).isNull();
	}

	@Test
	void missingAuthorityIsPermissionDenied() {
		Throwable thrown = catchThrowable(() -> AuthorityAuthorizationManager.hasAuthority("secret-admin")
			.verify(() -> UsernamePasswordAuthenticationToken.authenticated("secret-ann", "",
					USERS.loadUserByUsername("secret-ann").getAuthorities()), "secret-object"));
		assertThat(thrown).isInstanceOf(AuthorizationDeniedException.class);
		assertDenied(thrown);
		assertDenied(new AccessDeniedException("secret"));
	}

	private static Throwable thrownByLogin(UserDetailsService users, String name) {
		DaoAuthenticationProvider provider = new DaoAuthenticationProvider(users);
		provider.setPasswordEncoder(PasswordEncoderFactories.createDelegatingPasswordEncoder());
		return catchThrowable(
				() -> provider.authenticate(UsernamePasswordAuthenticationToken.unauthenticated(name, "secret")));
	}

	private void assertUnauthenticated(Throwable thrown) {
		GrpcError error = Answers.map(this.errors, thrown);
		assertThat(error.code()).isEqualTo(Status.Code.UNAUTHENTICATED);
		assertThat(error.reason()).isEqualTo("UNAUTHENTICATED");
		assertThat(Answers.text(error)).doesNotContain("secret", "Bad credentials", "org.");
	}

	private void assertDenied(Throwable thrown) {
		GrpcError error = Answers.map(this.errors, thrown);
		assertThat(error.code()).isEqualTo(Status.Code.PERMISSION_DENIED);
		assertThat(error.reason()).isEqualTo("PERMISSION_DENIED");
		assertThat(Answers.text(error)).doesNotContain("secret", "Access Denied", "org.");
	}

}
