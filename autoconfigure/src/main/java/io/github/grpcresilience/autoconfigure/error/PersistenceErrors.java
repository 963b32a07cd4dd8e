package io.github.grpcresilience.autoconfigure.error;

import java.util.List;

import jakarta.persistence.EntityExistsException;
import jakarta.persistence.EntityNotFoundException;
import jakarta.persistence.LockTimeoutException;
import jakarta.persistence.NoResultException;
import jakarta.persistence.OptimisticLockException;
import jakarta.persistence.PersistenceException;
import jakarta.persistence.PessimisticLockException;
import jakarta.persistence.QueryTimeoutException;
import jakarta.persistence.RollbackException;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.status.Causes;

/**
 * What the exceptions of {@code jakarta.persistence} mean where Spring does not translate
 * them, which it does for repositories only.
 */
public final class PersistenceErrors implements BuiltInErrors {

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(DatabaseAnswers.map(EntityExistsException.class, DatabaseAnswers::duplicateKey),
				DatabaseAnswers.map(EntityNotFoundException.class, DatabaseAnswers::notFound),
				DatabaseAnswers.map(NoResultException.class, DatabaseAnswers::notFound),
				DatabaseAnswers.map(OptimisticLockException.class, DatabaseAnswers::concurrentUpdate),
				DatabaseAnswers.map(PessimisticLockException.class, DatabaseAnswers::concurrentUpdate),
				DatabaseAnswers.map(LockTimeoutException.class, DatabaseAnswers::concurrentUpdate),
				DatabaseAnswers.map(QueryTimeoutException.class, DatabaseAnswers::queryTimeout),
				ErrorMapper.of(PersistenceException.class, PersistenceErrors::duplicateKey));
	}

	private static @Nullable GrpcError duplicateKey(PersistenceException thrown) {
		return DuplicateKeys.isCauseOf(thrown) ? DatabaseAnswers.duplicateKey() : null;
	}

	@Override
	public @Nullable Throwable unwrap(Throwable thrown) {
		return (thrown instanceof RollbackException || thrown.getClass() == PersistenceException.class)
				? Causes.causeOf(thrown) : null;
	}

}
