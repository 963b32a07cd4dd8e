package com.example.shop;

import java.util.Optional;

import org.springframework.data.jpa.repository.JpaRepository;

interface Items extends JpaRepository<Item, Long> {

	Optional<Item> findBySku(String sku);

}
