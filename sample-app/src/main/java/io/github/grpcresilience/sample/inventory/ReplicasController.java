package io.github.grpcresilience.sample.inventory;

import java.util.List;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Lists the replicas of inventory, and lets a reader do to one of them what bad days do.
 */
@RestController
final class ReplicasController {

	private final Replicas replicas;

	ReplicasController(Replicas replicas) {
		this.replicas = replicas;
	}

	@GetMapping("/replicas")
	List<Replica.Description> list() {
		return this.replicas.describe();
	}

	@PostMapping("/replicas/{number}/stop")
	Replica.Description stop(@PathVariable int number) {
		Replica replica = this.replicas.get(number);
		replica.stop();
		return replica.describe();
	}

	@PostMapping("/replicas/{number}/pause")
	Replica.Description pause(@PathVariable int number) {
		Replica replica = this.replicas.get(number);
		replica.pause();
		return replica.describe();
	}

	@PostMapping("/replicas/{number}/start")
	Replica.Description start(@PathVariable int number) {
		Replica replica = this.replicas.get(number);
		replica.start();
		return replica.describe();
	}

}
