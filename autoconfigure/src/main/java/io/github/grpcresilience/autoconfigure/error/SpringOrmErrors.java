package io.github.grpcresilience.autoconfigure.error;

import java.util.List;

import org.springframework.orm.ObjectRetrievalFailureException;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;

/**
 * What Spring says of entities that are not there. Its other exceptions about entities
 * are known by their superclasses.
 */
public final class SpringOrmErrors implements BuiltInErrors {

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(DatabaseAnswers.map(ObjectRetrievalFailureException.class, DatabaseAnswers::notFound));
	}

}
