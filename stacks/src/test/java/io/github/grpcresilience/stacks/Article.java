package io.github.grpcresilience.stacks;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;

/**
 * A row that there is once.
 */
@Entity
class Article {

	@Id
	private String sku;

	Article(String sku) {
		this.sku = sku;
	}

	/** For Hibernate. */
	Article() {
		this("");
	}

	String sku() {
		return this.sku;
	}

}
