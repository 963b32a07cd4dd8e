package io.github.grpcresilience.interop;

import org.junit.AfterClass;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

import io.github.grpcresilience.GrpcResilience;

/**
 * The same as on the day on which the library is added: nothing is set.
 */
@RunWith(JUnit4.class)
public class DefaultInteropTests extends ProtectedInteropTests {

	private static final GrpcResilience DEFAULTS = GrpcResilience.builder().build();

	@AfterClass
	public static void closeDefaults() {
		DEFAULTS.close();
	}

	@Override
	GrpcResilience resilience() {
		return DEFAULTS;
	}

}
