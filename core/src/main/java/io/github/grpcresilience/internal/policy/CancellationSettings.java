package io.github.grpcresilience.internal.policy;

import java.util.stream.Stream;

import io.github.grpcresilience.policy.CommitAfterEnd;

/**
 * What becomes of the work of a call that has ended.
 */
public final class CancellationSettings extends FeatureSettings {

	/** Whether threads that work for a call are interrupted when it is cancelled. */
	public static final SettingKey<Boolean> INTERRUPT_ON_CANCEL = SettingKey.toggle("interrupt-on-cancel");

	/** What happens to a transaction that is to be committed after its call has ended. */
	public static final SettingKey<CommitAfterEnd> COMMIT_AFTER_END = new SettingKey<>("commit-after-end",
			CommitAfterEnd.class, SectionScope.ALL, (value) -> true, "", "");

	CancellationSettings() {
	}

	@Override
	Stream<SettingKey<?>> keys(Side side) {
		return (side == Side.SERVER) ? Stream.of(INTERRUPT_ON_CANCEL, COMMIT_AFTER_END) : Stream.of();
	}

	@Override
	void addBuiltIn(Side side, BuiltInValues ofSection, BuiltInValues ofPolicies) {
		if (side == Side.SERVER) {
			ofPolicies.put(INTERRUPT_ON_CANCEL, false).put(COMMIT_AFTER_END, CommitAfterEnd.ALLOW);
		}
	}

	static boolean refusesLateCommits(MergedSettings merged) {
		return merged.value(COMMIT_AFTER_END, CommitAfterEnd.ALLOW) == CommitAfterEnd.REFUSE;
	}

}
