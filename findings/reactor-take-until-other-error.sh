#!/bin/sh
# Reactor: takeUntilOther fails, and its source runs on
#
# Seen with reactor-core 3.7.18 and 3.8.0.
#
# mono.takeUntilOther(other) ends when the other publisher emits, completes or fails, which
# makes takeUntilOther(Mono.error(...)) after a delay look like a timeout with an error of
# one's own. Where the other publisher emits or completes, the source is cancelled. Where it
# fails, the subscriber gets the error at once and the source is not cancelled: what it does
# (a request, a query) goes on, and succeeds for nobody. timeout(other, Mono.error(...))
# cancels it.
#
# Output seen, with either version:
#   other completes: ended true, source cancelled true
#   other fails:     ended true, source cancelled false
#   timeout:         ended true, source cancelled true
#
# Exit: 0 while that holds, 1 if it has changed, 2 if it could not be tried.

set -u
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2

cat > TakeUntil.java <<'JAVA'
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

public class TakeUntil {

	public static void main(String[] args) {
		IllegalStateException late = new IllegalStateException("late");
		Sinks.Empty<Void> completes = Sinks.empty();
		run("other completes: ", (source) -> source.takeUntilOther(completes.asMono()), completes::tryEmitEmpty);
		Sinks.Empty<Void> fails = Sinks.empty();
		run("other fails:     ", (source) -> source.takeUntilOther(fails.asMono()), () -> fails.tryEmitError(late));
		Sinks.Empty<Void> timeout = Sinks.empty();
		run("timeout:         ", (source) -> source.timeout(timeout.asMono(), Mono.error(late)), timeout::tryEmitEmpty);
	}

	private static void run(String name, Function<Mono<String>, Mono<String>> operator, Runnable end) {
		AtomicBoolean cancelled = new AtomicBoolean();
		AtomicBoolean ended = new AtomicBoolean();
		Mono<String> source = Mono.<String>never().doOnCancel(() -> cancelled.set(true));
		operator.apply(source).subscribe((value) -> {
		}, (error) -> ended.set(true), () -> ended.set(true));
		end.run();
		System.out.println(name + "ended " + ended + ", source cancelled " + cancelled);
	}

}
JAVA

expected='other completes: ended true, source cancelled true
other fails:     ended true, source cancelled false
timeout:         ended true, source cancelled true'

for version in 3.7.18 3.8.0; do
	for artifact in io.projectreactor:reactor-core:$version org.reactivestreams:reactive-streams:1.0.4 \
			org.jspecify:jspecify:1.0.0; do
		mvn -q -B dependency:copy -Dartifact="$artifact" -DoutputDirectory="$work/$version" \
			> mvn.log 2>&1 || { cat mvn.log; exit 2; }
	done
	javac -cp "$version/*" -d "$version" TakeUntil.java || exit 2
	seen=$(java -cp "$version:$version/*" TakeUntil 2> java.log) || { cat java.log; exit 2; }
	printf 'reactor-core %s\n%s\n' "$version" "$seen"
	[ "$seen" = "$expected" ] || exit 1
done
