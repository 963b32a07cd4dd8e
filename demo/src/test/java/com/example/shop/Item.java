package com.example.shop;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.Id;

/**
 * What the shop sells.
 */
@Entity
class Item {

	@Id
	@GeneratedValue
	private Long id;

	@Column(unique = true, nullable = false)
	private String sku;

	protected Item() {
	}

	Item(String sku) {
		this.sku = sku;
	}

	String sku() {
		return this.sku;
	}

}
