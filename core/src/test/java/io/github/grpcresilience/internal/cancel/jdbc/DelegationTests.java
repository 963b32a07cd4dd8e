package io.github.grpcresilience.internal.cancel.jdbc;

import java.lang.reflect.Array;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

import com.sun.management.ThreadMXBean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the wrappers hand on: every method of JDBC, with its arguments and its result.
 */
class DelegationTests {

	/** Answered by the wrappers themselves. */
	private static final Set<String> OWN = Set.of("unwrap", "isWrapperFor", "getConnection");

	private static final Map<Class<?>, Object> VALUES = Map.of(boolean.class, true, String.class, "text", int.class, 3,
			long.class, 5L, short.class, (short) 7, byte.class, (byte) 9, float.class, 1.5F, double.class, 2.5);

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final Recorder recorder = new Recorder();

	private final CallConnections connections = new CallConnections(this.resilience.work()::canceller, false, Set::of);

	private final CallConnection connection = new CallConnection(fake(Connection.class), this.connections,
			ConnectionLender.UNKNOWN, true);

	@AfterEach
	void end() {
		this.resilience.close();
	}

	private <T> T fake(Class<T> type) {
		return type.cast(
				Proxy.newProxyInstance(DelegationTests.class.getClassLoader(), new Class<?>[] { type }, this.recorder));
	}

	static Stream<Method> connectionMethods() {
		return methods(Connection.class);
	}

	static Stream<Method> statementMethods() {
		return methods(Statement.class);
	}

	static Stream<Method> preparedStatementMethods() {
		return methods(PreparedStatement.class);
	}

	static Stream<Method> callableStatementMethods() {
		return methods(CallableStatement.class);
	}

	private static Stream<Method> methods(Class<?> type) {
		return Arrays.stream(type.getMethods())
			.filter((method) -> !Modifier.isStatic(method.getModifiers()) && !OWN.contains(method.getName()));
	}

	@ParameterizedTest
	@MethodSource("connectionMethods")
	void connectionHandsOn(Method method) throws Exception {
		assertHandsOn(method, this.connection);
	}

	@ParameterizedTest
	@MethodSource("statementMethods")
	void statementHandsOn(Method method) throws Exception {
		assertHandsOn(method, new CallStatement(fake(Statement.class), this.connection));
	}

	@ParameterizedTest
	@MethodSource("preparedStatementMethods")
	void preparedStatementHandsOn(Method method) throws Exception {
		assertHandsOn(method, new CallPreparedStatement(fake(PreparedStatement.class), this.connection));
	}

	@ParameterizedTest
	@MethodSource("callableStatementMethods")
	void callableStatementHandsOn(Method method) throws Exception {
		assertHandsOn(method, CallableProxy.of(fake(CallableStatement.class), this.connection));
	}

	private void assertHandsOn(Method method, Object wrapper) throws Exception {
		Object[] arguments = Arrays.stream(method.getParameterTypes()).map(DelegationTests::value).toArray();
		for (boolean inCall : List.of(false, true)) {
			this.recorder.method = null;
			Object result = inCall ? TestCall.begin().call(() -> method.invoke(wrapper, arguments))
					: method.invoke(wrapper, arguments);
			assertThat(this.recorder.method).isEqualTo(method.getName());
			assertThat((this.recorder.arguments != null) ? this.recorder.arguments : new Object[0])
				.containsExactly(arguments);
			if (method.getReturnType().isPrimitive() && method.getReturnType() != void.class) {
				assertThat(result).isEqualTo(value(method.getReturnType()));
			}
		}
	}

	/** Different for each type, so that mixed-up arguments are noticed. */
	private static Object value(Class<?> type) {
		return type.isArray() ? Array.newInstance(type.getComponentType(), 1) : VALUES.get(type);
	}

	/**
	 * Outside of a call: a wrapper for the statement, and nothing else.
	 */
	@Test
	void statementOutsideOfACallCostsOneWrapper() throws Exception {
		try (Connection plain = Database.H2.pool(1).getConnection()) {
			Connection wrapped = new CallConnection(plain, this.connections, ConnectionLender.UNKNOWN, true);
			// Compiling allocates now and then: the least of several rounds is what it
			// costs.
			long bare = Long.MAX_VALUE;
			long least = Long.MAX_VALUE;
			for (int i = 0; i < 8; i++) {
				bare = Math.min(bare, allocatedByStatements(plain));
				least = Math.min(least, allocatedByStatements(wrapped));
			}
			// It may be less than nothing: the compiler inlines the two differently.
			assertThat(least - bare).isLessThan(64);
		}
	}

	private static long allocatedByStatements(Connection connection) throws Exception {
		ThreadMXBean threads = (ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
		int statements = 5_000;
		long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
		for (int i = 0; i < statements; i++) {
			try (PreparedStatement statement = connection.prepareStatement("select 7")) {
				statement.executeQuery().close();
			}
		}
		return (threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before) / statements;
	}

	/** The wrappers also ask the driver who it is, on a thread of their own. */
	private static final class Recorder implements InvocationHandler {

		private final Thread thread = Thread.currentThread();

		private String method;

		private Object[] arguments;

		@Override
		public Object invoke(Object proxy, Method called, Object[] passed) {
			if (Thread.currentThread() == this.thread) {
				this.method = called.getName();
				this.arguments = passed;
			}
			Class<?> type = called.getReturnType();
			return (type == void.class) ? null : type.isInterface() ? null : value(type);
		}

	}

}
