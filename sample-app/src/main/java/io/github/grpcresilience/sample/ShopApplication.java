package io.github.grpcresilience.sample;

/**
 * Starts the shop.
 */
public final class ShopApplication {

	private ShopApplication() {
	}

	public static void main(String[] args) {
		System.out.println("The shop is not open yet.");
	}

}
