package io.github.grpcresilience.internal.connection;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.grpc.ClientStreamTracer;
import io.grpc.ConnectivityState;
import io.grpc.ConnectivityStateInfo;
import io.grpc.EquivalentAddressGroup;
import io.grpc.Metadata;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.github.grpcresilience.FakeTime;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * When a backend is left alone, and for how long, to the nanosecond.
 */
class BackendsTests {

	private static final Duration LOOK = Duration.ofNanos(Backends.LOOK_NANOS);

	private final FakeTime time = new FakeTime();

	private final Backends backends = new Backends(true, this.time, this.time);

	private final List<Backend> all = new ArrayList<>();

	private Backend ready(int number) {
		Backend backend = new Backend(this.backends,
				List.of(new EquivalentAddressGroup(new InetSocketAddress(InetAddress.getLoopbackAddress(), number))));
		this.backends.add(backend);
		this.all.add(backend);
		connect(backend);
		return backend;
	}

	private void connect(Backend backend) {
		backend.changed(ConnectivityStateInfo.forNonError(ConnectivityState.READY));
		this.backends.count();
	}

	private void disconnect(Backend backend) {
		backend.changed(ConnectivityStateInfo.forTransientFailure(Status.UNAVAILABLE.withDescription("refused")));
		this.backends.count();
	}

	private static ClientStreamTracer send(Backend backend) {
		ClientStreamTracer tracer = new BackendTracer.Factory(backend, null)
			.newClientStreamTracer(ClientStreamTracer.StreamInfo.newBuilder().build(), new Metadata());
		tracer.outboundHeaders();
		return tracer;
	}

	private static void answer(Backend backend, int times) {
		for (int i = 0; i < times; i++) {
			answer(backend, Status.OK);
		}
	}

	private static void answer(Backend backend, Status status) {
		ClientStreamTracer tracer = send(backend);
		tracer.inboundTrailers(new Metadata());
		tracer.streamClosed(status);
	}

	private static void fail(Backend backend, int times) {
		for (int i = 0; i < times; i++) {
			answer(backend, Status.UNAVAILABLE);
		}
	}

	@Test
	void backendThatFailsWhileOthersAnswerIsEjected() {
		Backend failing = ready(1);
		Backend fine = ready(2);
		answer(fine, 3);
		fail(failing, 4);
		assertThat(failing.isEjected()).isFalse();
		fail(failing, 1);
		assertThat(failing.isEjected()).isTrue();
		assertThat(failing.isAvoided()).isTrue();
		assertThat(fine.isAvoided()).isFalse();
	}

	@Test
	void ejectionEndsAndLastsLongerTheNextTime() {
		Backend failing = ready(1);
		Backend fine = ready(2);
		answer(fine, 3);
		fail(failing, 5);
		this.time.pass(Duration.ofSeconds(10).minusNanos(1));
		assertThat(failing.isEjected()).isTrue();
		this.time.pass(Duration.ofNanos(1));
		assertThat(failing.isEjected()).isFalse();
		answer(fine, 3);
		fail(failing, 5);
		this.time.pass(Duration.ofSeconds(20).minusNanos(1));
		assertThat(failing.isEjected()).isTrue();
		this.time.pass(Duration.ofNanos(1));
		assertThat(failing.isEjected()).isFalse();
	}

	@Test
	void backendThatBehavedAgainIsForgiven() {
		Backend failing = ready(1);
		Backend fine = ready(2);
		answer(fine, 3);
		fail(failing, 5);
		for (int i = 0; i < 60; i++) {
			answer(failing, 1);
			answer(fine, 1);
			this.time.pass(LOOK);
		}
		fail(failing, 5);
		this.time.pass(Duration.ofSeconds(10));
		assertThat(failing.isEjected()).isFalse();
	}

	@Test
	void oneThatFailsOftenIsEjectedAlthoughItAlsoAnswers() {
		Backend flaky = ready(1);
		Backend fine = ready(2);
		for (int i = 0; i < 10; i++) {
			answer(flaky, 2);
			answer(fine, 3);
			fail(flaky, 1);
		}
		assertThat(flaky.isEjected()).isTrue();
	}

	@Test
	void nobodyIsEjectedForWhatFailsEverywhere() {
		Backend one = ready(1);
		Backend other = ready(2);
		for (int i = 0; i < 100; i++) {
			answer(one, 1);
			answer(other, 1);
			fail(one, 1);
			fail(other, 1);
		}
		fail(one, 20);
		fail(other, 20);
		assertThat(this.all).noneMatch(Backend::isEjected);
	}

	@Test
	void atMostHalfAreEjected() {
		for (int i = 1; i <= 5; i++) {
			ready(i);
		}
		answer(this.all.get(4), 100);
		this.all.subList(0, 4).forEach((backend) -> fail(backend, 5));
		assertThat(this.all).filteredOn(Backend::isEjected).hasSize(2);
	}

	@Test
	void onlyOneIsNeverEjected() {
		Backend only = ready(1);
		Backend away = ready(2);
		answer(away, 3);
		disconnect(away);
		fail(only, 50);
		assertThat(only.isEjected()).isFalse();
	}

	@Test
	void newConnectionIsNotJudgedByTheOneBefore() {
		Backend failing = ready(1);
		Backend fine = ready(2);
		answer(fine, 3);
		fail(failing, 5);
		disconnect(failing);
		assertThat(failing.describe().lastError()).isEqualTo("UNAVAILABLE: refused");
		connect(failing);
		assertThat(failing.isAvoided()).isFalse();
	}

	/**
	 * A request that is wrong is wrong everywhere, and who sheds load is busy.
	 */
	@ParameterizedTest
	@EnumSource(names = { "UNAVAILABLE", "UNKNOWN", "INTERNAL", "DATA_LOSS" }, mode = EnumSource.Mode.EXCLUDE)
	void whatIsNoFaultOfTheBackendEjectsNobody(Status.Code code) {
		Backend one = ready(1);
		Backend fine = ready(2);
		answer(fine, 3);
		for (int i = 0; i < 50; i++) {
			answer(one, code.toStatus());
		}
		assertThat(one.isEjected()).isFalse();
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAVAILABLE", "UNKNOWN", "INTERNAL", "DATA_LOSS" })
	void whatMayBeItsFaultEjects(Status.Code code) {
		Backend one = ready(1);
		Backend fine = ready(2);
		answer(fine, 3);
		for (int i = 0; i < 5; i++) {
			answer(one, code.toStatus());
		}
		assertThat(one.isEjected()).isTrue();
	}

	@Test
	void callsThatAreCutBeforeAnythingCameCountOnlyIfTheirTimeWasUp() {
		Backend mute = ready(1);
		Backend fine = ready(2);
		answer(fine, 3);
		for (int i = 0; i < 50; i++) {
			send(mute).streamClosed(Status.CANCELLED.withDescription("the caller left"));
		}
		assertThat(mute.isEjected()).isFalse();
		for (int i = 0; i < 5; i++) {
			send(mute).streamClosed(Status.DEADLINE_EXCEEDED);
		}
		assertThat(mute.isEjected()).isTrue();
	}

	@Test
	void oneThatSaysNothingWhileOthersDoIsAvoidedUntilItSpeaks() {
		Backend mute = ready(1);
		Backend fine = ready(2);
		ClientStreamTracer held = send(mute);
		for (int i = 0; i < 5; i++) {
			answer(fine, 1);
			this.time.pass(LOOK);
		}
		assertThat(mute.isAvoided()).isFalse();
		answer(fine, 1);
		this.time.pass(LOOK);
		assertThat(mute.isAvoided()).isTrue();
		assertThat(mute.describe().silent()).isTrue();
		held.inboundHeaders(new Metadata());
		answer(fine, 1);
		this.time.pass(LOOK);
		assertThat(mute.isAvoided()).isFalse();
	}

	@Test
	void silentOneIsTriedEveryNowAndThen() {
		Backend mute = ready(1);
		Backend fine = ready(2);
		send(mute);
		int tried = 0;
		for (int i = 0; i < 200; i++) {
			answer(fine, 1);
			this.time.pass(LOOK);
			if (mute.describe().silent() && !mute.isAvoided()) {
				tried++;
				send(mute);
			}
		}
		// After 3 s, and then after 6, 12 and 24 s: what is tried costs a call.
		assertThat(tried).isBetween(4, 6);
	}

	@Test
	void nobodyIsSilentWhenAllAre() {
		Backend one = ready(1);
		Backend other = ready(2);
		for (int i = 0; i < 20; i++) {
			send(one);
			send(other);
			this.time.pass(LOOK);
		}
		assertThat(this.all).noneMatch(Backend::isAvoided);
	}

	@Test
	void nothingIsScheduledOnceCallsAreOver() {
		Backend one = ready(1);
		ready(2);
		answer(one, 10);
		assertThat(this.time.pending()).isEqualTo(1);
		this.time.pass(LOOK.multipliedBy(2));
		assertThat(this.time.pending()).isZero();
		answer(one, 1);
		assertThat(this.time.pending()).isEqualTo(1);
	}

	@Test
	void silentOneIsTriedFirstAfterAPause() {
		Backend mute = ready(1);
		Backend fine = ready(2);
		send(mute);
		for (int i = 0; i < 6; i++) {
			answer(fine, 1);
			this.time.pass(LOOK);
		}
		assertThat(mute.isAvoided()).isTrue();
		this.time.pass(LOOK.multipliedBy(2));
		assertThat(this.time.pending()).isZero();
		assertThat(mute.isAvoided()).isFalse();
	}

	@Test
	void switchedOffItJudgesNobody() {
		Backends unshielded = new Backends(false, this.time, this.time);
		Backend one = new Backend(unshielded, List.of());
		Backend other = new Backend(unshielded, List.of());
		List.of(one, other).forEach((backend) -> {
			unshielded.add(backend);
			connect(backend);
		});
		unshielded.count();
		answer(other, 3);
		fail(one, 50);
		assertThat(one.isAvoided()).isFalse();
		assertThat(this.time.pending()).isZero();
	}

}
