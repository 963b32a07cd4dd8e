package io.github.grpcresilience.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.Any;
import com.google.protobuf.UInt32Value;
import io.envoyproxy.controlplane.cache.v3.SimpleCache;
import io.envoyproxy.controlplane.cache.v3.Snapshot;
import io.envoyproxy.controlplane.server.V3DiscoveryServer;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.AggregatedConfigSource;
import io.envoyproxy.envoy.config.core.v3.ConfigSource;
import io.envoyproxy.envoy.config.core.v3.Locality;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.listener.v3.ApiListener;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A real control plane, which can be killed and come back on its port.
 */
final class ControlPlane implements AutoCloseable {

	private static final ConfigSource ADS = ConfigSource.newBuilder()
		.setAds(AggregatedConfigSource.getDefaultInstance())
		.build();

	private SimpleCache<String> snapshots;

	private Server server;

	private int port;

	private int version;

	ControlPlane() {
		start();
	}

	private void start() {
		this.snapshots = new SimpleCache<>((node) -> "all");
		V3DiscoveryServer discovery = new V3DiscoveryServer(this.snapshots);
		try {
			this.server = NettyServerBuilder.forPort(this.port)
				.addService(discovery.getAggregatedDiscoveryServiceImpl())
				.build()
				.start();
			this.port = this.server.getPort();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** As an xDS client is told where its control plane is. */
	String bootstrap() {
		return "{\"xds_servers\": [{\"server_uri\": \"127.0.0.1:" + this.port
				+ "\", \"channel_creds\": [{\"type\": \"insecure\"}], \"server_features\": [\"xds_v3\"]}],"
				+ " \"node\": {\"id\": \"test\"}}";
	}

	void kill() {
		try {
			assertThat(this.server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	void comeBack() {
		start();
	}

	/**
	 * Tells clients of one service and the servers on these ports, in place of others.
	 */
	void tell(String service, RouteAction route, Integer... ports) {
		this.version++;
		this.snapshots.setSnapshot("all",
				Snapshot.create(List.of(cluster(service)), List.of(endpoints(service, Arrays.asList(ports))),
						List.of(listener(service)), List.of(routes(service, route)), List.of(),
						Integer.toString(this.version)));
	}

	private static Cluster cluster(String service) {
		return Cluster.newBuilder()
			.setName(service)
			.setType(Cluster.DiscoveryType.EDS)
			.setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder().setEdsConfig(ADS).setServiceName(service))
			.setLbPolicy(Cluster.LbPolicy.ROUND_ROBIN)
			.build();
	}

	private static ClusterLoadAssignment endpoints(String service, List<Integer> ports) {
		LocalityLbEndpoints.Builder locality = LocalityLbEndpoints.newBuilder()
			.setLocality(Locality.newBuilder().setZone("here"))
			.setLoadBalancingWeight(UInt32Value.of(1));
		for (int port : ports) {
			locality.addLbEndpoints(LbEndpoint.newBuilder()
				.setEndpoint(Endpoint.newBuilder()
					.setAddress(Address.newBuilder()
						.setSocketAddress(SocketAddress.newBuilder().setAddress("127.0.0.1").setPortValue(port)))));
		}
		return ClusterLoadAssignment.newBuilder().setClusterName(service).addEndpoints(locality).build();
	}

	private static Listener listener(String service) {
		HttpConnectionManager manager = HttpConnectionManager.newBuilder()
			.setStatPrefix("shop")
			.setRds(Rds.newBuilder().setConfigSource(ADS).setRouteConfigName(service))
			.addHttpFilters(
					HttpFilter.newBuilder().setName("router").setTypedConfig(Any.pack(Router.getDefaultInstance())))
			.build();
		return Listener.newBuilder()
			.setName(service)
			.setApiListener(ApiListener.newBuilder().setApiListener(Any.pack(manager)))
			.build();
	}

	private static RouteConfiguration routes(String service, RouteAction route) {
		RouteAction action = route.toBuilder().setCluster(service).build();
		return RouteConfiguration.newBuilder()
			.setName(service)
			.addVirtualHosts(VirtualHost.newBuilder()
				.setName("shop")
				.addDomains("*")
				.addRoutes(Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("")).setRoute(action)))
			.build();
	}

	@Override
	public void close() {
		kill();
	}

}
