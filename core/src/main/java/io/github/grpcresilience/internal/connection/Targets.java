package io.github.grpcresilience.internal.connection;

import java.net.URI;
import java.net.URISyntaxException;

import com.google.common.net.InetAddresses;

/**
 * What the targets of channels stand for.
 */
final class Targets {

	private Targets() {
	}

	/**
	 * Whether a target is a name of DNS that one may have given to several servers.
	 */
	static boolean mayBeSeveral(String target) {
		String host = host(target);
		return !host.isEmpty() && !host.equals("localhost") && !InetAddresses.isInetAddress(host);
	}

	private static String host(String target) {
		try {
			URI uri = new URI(target);
			if (!"dns".equals(uri.getScheme())) {
				return "";
			}
			String path = (uri.getPath() != null) ? uri.getPath() : uri.getSchemeSpecificPart();
			String name = path.startsWith("/") ? path.substring(1) : path;
			String host = new URI("dns://" + name).getHost();
			return (host != null) ? host : "";
		}
		catch (URISyntaxException ex) {
			return "";
		}
	}

}
