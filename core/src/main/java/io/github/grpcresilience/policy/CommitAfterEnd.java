package io.github.grpcresilience.policy;

/**
 * What happens to a transaction that is to be committed after its call has ended. One in
 * which a statement was stopped is never committed.
 */
public enum CommitAfterEnd {

	/** It is committed, and counted. */
	ALLOW,

	/** It is rolled back. */
	REFUSE

}
