package io.github.grpcresilience.autoconfigure;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.convert.DurationStyle;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.Finding.Severity;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceEndpoint.Value;
import io.github.grpcresilience.autoconfigure.properties.FindingSource;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.policy.ConnectionSettings;
import io.github.grpcresilience.internal.policy.DeadlinePolicy;
import io.github.grpcresilience.internal.policy.SettingText;
import io.github.grpcresilience.policy.MissingDeadline;
import io.github.grpcresilience.policy.Mode;

/**
 * Whether the age of connections goes with the rest of the configuration, whoever set it.
 */
record ConnectionFindings(Supplier<ConnectionValues> values,
		Supplier<GrpcResilience> resilience) implements FindingSource {

	@Override
	public List<Finding> findings() {
		List<Finding> found = new ArrayList<>();
		GrpcResilience resilience = this.resilience.get();
		if (resilience.mode() == Mode.ENFORCE && resilience.inspection().isServerProtected()) {
			Value age = this.values.get().ofServer(ConnectionSettings.MAX_AGE);
			Duration duration = duration(age);
			if (age != null && duration != null && duration.isZero()) {
				found.add(new Finding("NO_CONNECTION_AGE", Severity.INFO, age.property(),
						age.property() + " = " + age.value() + " (" + age.origin()
								+ ") lets connections get as old as they like: clients that know one address only, such"
								+ " as a load balancer's, find no server that was added since",
						"nothing, if clients resolve each server; else remove the property"));
			}
			else if (duration != null) {
				grace(resilience, found);
			}
		}
		return found;
	}

	private void grace(GrpcResilience resilience, List<Finding> found) {
		Value grace = this.values.get().ofServer(ConnectionSettings.MAX_AGE_GRACE);
		Duration duration = duration(grace);
		if (grace == null || duration == null) {
			return;
		}
		for (ServedMethod method : resilience.inspection().servedMethods()) {
			DeadlinePolicy deadline = method.policy().deadline();
			if (!method.policy().exempt() && deadline.missing() == MissingDeadline.DEFAULT
					&& deadline.defaultNanos() > duration.toNanos()) {
				found.add(new Finding("AGE_SHORTER_THAN_DEADLINE", Severity.WARNING, method.name(),
						grace.property() + " = " + grace.value() + " (" + grace.origin()
								+ ") is less than a call may take, which is "
								+ SettingText.of(Duration.ofNanos(deadline.defaultNanos()))
								+ ": calls on a connection that gets too old are cut",
						"remove " + grace.property() + ", or make it longer than deadline.default"));
			}
		}
	}

	private static @Nullable Duration duration(@Nullable Value value) {
		try {
			return (value != null) ? DurationStyle.detectAndParse(value.value().toString(), ChronoUnit.SECONDS) : null;
		}
		catch (IllegalArgumentException ex) {
			return null; // whoever reads it complains
		}
	}

}
