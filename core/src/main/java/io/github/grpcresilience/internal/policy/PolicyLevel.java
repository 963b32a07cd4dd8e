package io.github.grpcresilience.internal.policy;

/**
 * Levels at which a setting can stand, weakest first.
 */
enum PolicyLevel {

	BUILT_IN, SECTION, SERVICE, SERVICE_OF_CLIENT, METHOD, METHOD_OF_CLIENT;

	static PolicyLevel of(boolean method, boolean ofClient) {
		if (method) {
			return ofClient ? METHOD_OF_CLIENT : METHOD;
		}
		return ofClient ? SERVICE_OF_CLIENT : SERVICE;
	}

	/**
	 * Whether a policy names the method itself.
	 */
	boolean isMethod() {
		return compareTo(METHOD) >= 0;
	}

	boolean isPolicy() {
		return compareTo(SECTION) > 0;
	}

}
