package io.github.grpcresilience.autoconfigure;

import java.util.List;

import jakarta.persistence.EntityExistsException;
import jakarta.persistence.EntityNotFoundException;
import jakarta.persistence.LockTimeoutException;
import jakarta.persistence.NoResultException;
import jakarta.persistence.OptimisticLockException;
import jakarta.persistence.PessimisticLockException;
import jakarta.persistence.QueryTimeoutException;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;

/**
 * What the exceptions of {@code jakarta.persistence} mean where Spring does not translate
 * them, which it does for repositories only.
 */
final class PersistenceErrors implements BuiltInErrors {

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(DatabaseAnswers.map(EntityExistsException.class, DatabaseAnswers::duplicateKey),
				DatabaseAnswers.map(EntityNotFoundException.class, DatabaseAnswers::notFound),
				DatabaseAnswers.map(NoResultException.class, DatabaseAnswers::notFound),
				DatabaseAnswers.map(OptimisticLockException.class, DatabaseAnswers::concurrentUpdate),
				DatabaseAnswers.map(PessimisticLockException.class, DatabaseAnswers::concurrentUpdate),
				DatabaseAnswers.map(LockTimeoutException.class, DatabaseAnswers::concurrentUpdate),
				DatabaseAnswers.map(QueryTimeoutException.class, DatabaseAnswers::queryTimeout));
	}

}
