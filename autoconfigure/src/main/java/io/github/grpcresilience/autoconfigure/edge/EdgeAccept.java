package io.github.grpcresilience.autoconfigure.edge;

import java.util.List;

import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;

/**
 * What clients want to read of failures: people in browsers a page, all others a problem,
 * whatever they name. Answers that nobody has asked for are better than none (RFC 9110,
 * 12.4.1).
 */
public final class EdgeAccept {

	private static final List<MediaType> JSON = List.of(MediaType.APPLICATION_JSON, MediaType.APPLICATION_PROBLEM_JSON);

	private EdgeAccept() {
	}

	/**
	 * Whether a client prefers a page.
	 * @param accept values of the header {@code Accept}; empty without one
	 * @return {@code false} where it wants both as much, unless it names HTML first
	 */
	public static boolean isPage(List<String> accept) {
		List<MediaType> types;
		try {
			types = accept.stream().flatMap((value) -> MediaType.parseMediaTypes(value).stream()).toList();
		}
		catch (IllegalArgumentException ex) {
			return false; // who cannot say what is wanted gets what all others get
		}
		MediaType html = best(types, List.of(MediaType.TEXT_HTML));
		if (html == null || html.getQualityValue() == 0) {
			return false;
		}
		MediaType json = best(types, JSON);
		if (json == null || html.getQualityValue() != json.getQualityValue()) {
			return json == null || html.getQualityValue() > json.getQualityValue();
		}
		return html.isConcrete() && (!json.isConcrete() || types.indexOf(html) < types.indexOf(json));
	}

	/**
	 * The range that says how much one of some types is wanted: the most specific one
	 * that includes it.
	 */
	private static @Nullable MediaType best(List<MediaType> accepted, List<MediaType> types) {
		MediaType best = null;
		for (MediaType range : accepted) {
			if (types.stream().anyMatch(range::includes) && (best == null || isMoreSpecific(range, best))) {
				best = range;
			}
		}
		return best;
	}

	private static boolean isMoreSpecific(MediaType range, MediaType than) {
		int own = specificity(range);
		int other = specificity(than);
		return own > other || (own == other && range.getQualityValue() > than.getQualityValue());
	}

	private static int specificity(MediaType range) {
		return range.isWildcardType() ? 0 : range.isWildcardSubtype() ? 1 : 2;
	}

}
