package io.github.grpcresilience.autoconfigure.error;

import java.util.List;

import org.jspecify.annotations.Nullable;
import org.springframework.dao.ConcurrencyFailureException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.dao.EmptyResultDataAccessException;
import org.springframework.dao.QueryTimeoutException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessResourceException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionSystemException;
import org.springframework.transaction.TransactionTimedOutException;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.status.Causes;

/**
 * What Spring's data access and transaction exceptions mean. Other broken constraints
 * than keys stay unmapped: whether the caller's data or the application's own is at fault
 * nobody can tell from them. So does a result with too many rows, which is a bug.
 */
public final class SpringDataAccessErrors implements BuiltInErrors {

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(DatabaseAnswers.map(DuplicateKeyException.class, DatabaseAnswers::duplicateKey),
				DatabaseAnswers.map(ConcurrencyFailureException.class, DatabaseAnswers::concurrentUpdate),
				DatabaseAnswers.map(QueryTimeoutException.class, DatabaseAnswers::queryTimeout),
				DatabaseAnswers.map(TransactionTimedOutException.class, DatabaseAnswers::queryTimeout),
				DatabaseAnswers.map(EmptyResultDataAccessException.class, DatabaseAnswers::notFound),
				DatabaseAnswers.map(DataAccessResourceFailureException.class, DatabaseAnswers::unavailable),
				DatabaseAnswers.map(TransientDataAccessResourceException.class, DatabaseAnswers::unavailable),
				DatabaseAnswers.map(RecoverableDataAccessException.class, DatabaseAnswers::unavailable),
				DatabaseAnswers.map(CannotCreateTransactionException.class, DatabaseAnswers::unavailable),
				ErrorMapper.of(DataIntegrityViolationException.class, SpringDataAccessErrors::duplicateKey));
	}

	/**
	 * JPA tells duplicate keys from other broken constraints only in what the driver
	 * threw.
	 */
	private static @Nullable GrpcError duplicateKey(DataIntegrityViolationException thrown) {
		return DuplicateKeys.isCauseOf(thrown) ? DatabaseAnswers.duplicateKey() : null;
	}

	/**
	 * A commit that fails hides what failed in it, and a rollback that fails what it was
	 * for.
	 */
	@Override
	public @Nullable Throwable unwrap(Throwable thrown) {
		if (thrown instanceof TransactionSystemException failed) {
			Throwable original = failed.getApplicationException();
			return (original != null) ? original : Causes.causeOf(failed);
		}
		return null;
	}

}
