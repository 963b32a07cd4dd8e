package io.github.grpcresilience.test;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class RelayTests {

	private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

	private final Relay relay = new Relay(this.server.getLocalPort());

	RelayTests() throws IOException {
	}

	@AfterEach
	void end() throws IOException {
		this.relay.close();
		this.server.close();
	}

	private static Socket connect(Relay relay) throws IOException {
		Socket socket = new Socket(InetAddress.getLoopbackAddress(), relay.port());
		socket.setSoTimeout(20_000);
		return socket;
	}

	private Socket accept() throws IOException {
		Socket socket = this.server.accept();
		socket.setSoTimeout(20_000);
		return socket;
	}

	private static void nothingComes(Socket socket) throws IOException {
		socket.setSoTimeout(70);
		assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> socket.getInputStream().read());
		socket.setSoTimeout(20_000);
	}

	@Test
	void passesBytesBothWaysAndTheEnd() throws IOException {
		try (Socket client = connect(this.relay); Socket peer = accept()) {
			client.getOutputStream().write('a');
			assertThat(peer.getInputStream().read()).isEqualTo('a');
			peer.getOutputStream().write('b');
			assertThat(client.getInputStream().read()).isEqualTo('b');
			client.shutdownOutput();
			assertThat(peer.getInputStream().read()).isEqualTo(-1);
			peer.getOutputStream().write('c');
			assertThat(client.getInputStream().read()).isEqualTo('c');
		}
	}

	@Test
	void keepsWhatIsHeldOrStalled() throws IOException {
		this.relay.hold();
		try (Socket client = connect(this.relay); Socket peer = accept()) {
			client.getOutputStream().write('a');
			nothingComes(peer);
			this.relay.release();
			assertThat(peer.getInputStream().read()).isEqualTo('a');
			this.relay.stall(Direction.TO_CLIENT);
			client.getOutputStream().write('b');
			assertThat(peer.getInputStream().read()).isEqualTo('b');
			peer.getOutputStream().write('c');
			nothingComes(client);
			this.relay.resume();
			assertThat(client.getInputStream().read()).isEqualTo('c');
			this.relay.stall(Direction.BOTH);
			client.getOutputStream().write('d');
			nothingComes(peer);
		}
	}

	@Test
	void passesLate() throws IOException {
		try (Relay slow = new Relay(this.server.getLocalPort(), Duration.ofMillis(300));
				Socket client = connect(slow);
				Socket peer = accept()) {
			client.getOutputStream().write('a');
			nothingComes(peer);
			assertThat(peer.getInputStream().read()).isEqualTo('a');
		}
	}

	@Test
	void resetsAndTakesNewConnections() throws IOException {
		try (Socket client = connect(this.relay); Socket peer = accept()) {
			client.getOutputStream().write('a');
			assertThat(peer.getInputStream().read()).isEqualTo('a');
			this.relay.reset();
			assertThatExceptionOfType(SocketException.class).isThrownBy(() -> client.getInputStream().read());
			assertThatExceptionOfType(SocketException.class).isThrownBy(() -> peer.getInputStream().read());
		}
		try (Socket client = connect(this.relay); Socket peer = accept()) {
			client.getOutputStream().write('b');
			assertThat(peer.getInputStream().read()).isEqualTo('b');
		}
	}

	@Test
	void clientOfAServerThatIsGoneIsToldAndOthersAreServed() throws IOException {
		int port = this.server.getLocalPort();
		this.server.close();
		try (Socket client = connect(this.relay)) {
			assertThat(client.getInputStream().read()).isEqualTo(-1);
		}
		try (ServerSocket again = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
				Socket client = connect(this.relay);
				Socket peer = again.accept()) {
			client.getOutputStream().write('a');
			assertThat(peer.getInputStream().read()).isEqualTo('a');
		}
	}

}
