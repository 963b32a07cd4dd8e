package io.github.grpcresilience.autoconfigure.properties;

import java.lang.reflect.Parameter;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.AbstractBindHandler;
import org.springframework.boot.context.properties.bind.BindContext;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.Name;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.context.properties.source.UnboundElementsSourceFilter;
import org.springframework.core.ResolvableType;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;
import org.springframework.util.unit.DataSize;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * Binds the properties and, unlike the binding of a {@code @ConfigurationProperties}
 * bean, keeps the origin of each value and does not stop at the first fault. Confined to
 * one thread.
 */
public final class PropertiesBinder {

	private static final String PREFIX = "grpc.resilience";

	private static final Bindable<GrpcResilienceProperties> TARGET = Bindable.of(GrpcResilienceProperties.class);

	private static final Map<Class<?>, String> NOUNS = Map.of(Duration.class, "not a duration", Double.class,
			"not a number", DataSize.class, "not a size", Integer.class, "not a whole number", HedgeDelay.class,
			"neither a duration nor a percentile", Boolean.class, "neither true nor false");

	private static final Map<Class<?>, String> REMEDIES = Map.of(Duration.class,
			"write a duration such as 250ms, 2s or 1m", Double.class, "write a number such as 0.05", DataSize.class,
			"write a size such as 4KB", Integer.class, "write a whole number such as 3", HedgeDelay.class,
			"write a duration such as 40ms, or a percentile such as p95", Boolean.class, "write true or false");

	private final Environment environment;

	private final Map<String, Origin> origins = new HashMap<>();

	private final Map<String, PolicyFault> faults = new LinkedHashMap<>();

	private final Map<String, Class<?>> records = new HashMap<>();

	private PropertiesBinder(Environment environment) {
		this.environment = environment;
	}

	public static BoundProperties bind(Environment environment) {
		return new PropertiesBinder(environment).bind();
	}

	private BoundProperties bind() {
		GrpcResilienceProperties properties = Binder.get(this.environment)
			.bindOrCreate(PREFIX, TARGET, new CollectingBindHandler());
		findWrittenTwice();
		return new BoundProperties(properties, this.origins, List.copyOf(this.faults.values()),
				new UnreadProperties(this.origins.keySet(), this.faults.keySet()).in(this.environment));
	}

	/**
	 * Finds properties that one source holds under two names that are equal without
	 * dashes: relaxed binding takes one of the values and drops the other without a word.
	 * Other sources may use another form; they override.
	 */
	private void findWrittenTwice() {
		UnboundElementsSourceFilter written = new UnboundElementsSourceFilter();
		for (ConfigurationPropertySource source : ConfigurationPropertySources.get(this.environment)) {
			if (source instanceof IterableConfigurationPropertySource iterable && written.apply(source)) {
				Map<String, ConfigurationPropertyName> seen = new HashMap<>();
				iterable.stream()
					.filter(ConfigurationPropertyName.of(PREFIX)::isAncestorOf)
					.forEach((name) -> addIfWrittenTwice(source, name, seen));
			}
		}
	}

	private void addIfWrittenTwice(ConfigurationPropertySource source, ConfigurationPropertyName name,
			Map<String, ConfigurationPropertyName> seen) {
		ConfigurationPropertyName first = seen.putIfAbsent(BoundProperties.key(name.toString()), name);
		ConfigurationProperty property = source.getConfigurationProperty(name);
		if (first != null && !first.toString().equals(name.toString()) && property != null) {
			add(new PolicyFault(name.toString(), locationOf(property), String.valueOf(property.getValue()),
					"is written twice, also as " + first, "keep one of the two names"));
		}
	}

	private void addUnknown(ConfigurationProperty property) {
		add(new PolicyFault(property.getName().toString(), locationOf(property), String.valueOf(property.getValue()),
				"is not a known property", remedyForUnknown(property.getName())));
	}

	private String remedyForUnknown(ConfigurationPropertyName name) {
		ConfigurationPropertyName parent = name.getParent();
		while (!parent.isEmpty()) {
			Class<?> type = this.records.get(BoundProperties.key(parent.toString()));
			if (type != null) {
				return "remove it or correct its name; below " + parent + " there are: " + namesOf(type);
			}
			parent = parent.getParent();
		}
		return "remove it or correct its name";
	}

	private static String namesOf(Class<?> type) {
		return Arrays.stream(type.getDeclaredConstructors()[0].getParameters())
			.map(PropertiesBinder::nameOf)
			.collect(Collectors.joining(", "));
	}

	private static String nameOf(Parameter parameter) {
		Name name = parameter.getAnnotation(Name.class);
		return (name != null) ? name.value()
				: parameter.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
	}

	/**
	 * Keeps the first fault of a property: what cannot be read is not bound either.
	 */
	private void add(PolicyFault fault) {
		String key = BoundProperties.key(fault.property());
		// A list cannot be read if an element of it cannot: that is one fault.
		if (this.faults.keySet().stream().noneMatch((known) -> known.startsWith(key + "."))) {
			this.faults.putIfAbsent(key, fault);
		}
	}

	private static String locationOf(ConfigurationProperty property) {
		org.springframework.boot.origin.Origin origin = property.getOrigin();
		return (origin != null) ? origin.toString() : "unknown source";
	}

	private static String ruleFor(ResolvableType type) {
		Class<?> target = type.resolve(Object.class);
		if (Collection.class.isAssignableFrom(target)) {
			return "has an element that " + ruleFor(type.asCollection().getGeneric());
		}
		if (target.isRecord() || Map.class.isAssignableFrom(target)) {
			return "is a value where there must be a section";
		}
		String noun = NOUNS.get(ClassUtils.resolvePrimitiveIfNecessary(target));
		return (noun != null) ? "is " + noun
				: target.isEnum() ? "is not one of the values that are allowed" : "cannot be read";
	}

	private static String remedyFor(ResolvableType type) {
		Class<?> target = type.resolve(Object.class);
		if (Collection.class.isAssignableFrom(target)) {
			return "write a list; in each element " + remedyFor(type.asCollection().getGeneric());
		}
		if (target.isRecord()) {
			return "write below it: " + namesOf(target);
		}
		if (target.isEnum()) {
			return "write one of: " + Arrays.stream(target.getEnumConstants())
				.map(PropertiesBinder::nameOf)
				.collect(Collectors.joining(", "));
		}
		return REMEDIES.getOrDefault(ClassUtils.resolvePrimitiveIfNecessary(target),
				"see the reference of this property");
	}

	private static String nameOf(Object constant) {
		return (constant instanceof Status.Code code) ? code.name() : constant.toString().toLowerCase(Locale.ROOT);
	}

	/**
	 * Takes the place of an element that cannot be read, so that the others are read.
	 */
	private static @Nullable Object standIn(ConfigurationPropertyName name, Bindable<?> target) {
		Object[] constants = name.isLastElementIndexed() ? target.getType().resolve(Object.class).getEnumConstants()
				: null;
		return (constants != null) ? constants[constants.length - 1] : null;
	}

	/**
	 * Asks what stands behind it which properties were not bound, and goes on where that
	 * would throw.
	 */
	private final class CollectingBindHandler extends AbstractBindHandler {

		CollectingBindHandler() {
			super(new NoUnboundElementsBindHandler(BindHandler.DEFAULT, new UnboundElementsSourceFilter()));
		}

		@Override
		public <T> @Nullable Bindable<T> onStart(ConfigurationPropertyName name, Bindable<T> target,
				BindContext context) {
			Class<?> type = target.getType().resolve(Object.class);
			if (type.isRecord()) {
				PropertiesBinder.this.records.put(BoundProperties.key(name.toString()), type);
			}
			return super.onStart(name, target, context);
		}

		@Override
		public @Nullable Object onSuccess(ConfigurationPropertyName name, Bindable<?> target, BindContext context,
				Object result) {
			ConfigurationProperty property = context.getConfigurationProperty();
			if (property != null) {
				PropertiesBinder.this.origins.put(BoundProperties.key(name.toString()),
						new Origin(name.toString(), locationOf(property)));
			}
			return super.onSuccess(name, target, context, result);
		}

		@Override
		public void onFinish(ConfigurationPropertyName name, Bindable<?> target, BindContext context,
				@Nullable Object result) throws Exception {
			try {
				super.onFinish(name, target, context, result);
			}
			catch (UnboundConfigurationPropertiesException ex) {
				ex.getUnboundProperties().forEach(PropertiesBinder.this::addUnknown);
			}
		}

		@Override
		public @Nullable Object onFailure(ConfigurationPropertyName name, Bindable<?> target, BindContext context,
				Exception error) {
			ConfigurationProperty property = find(name, context);
			ResolvableType type = target.getType();
			add(new PolicyFault(name.toString(), (property != null) ? locationOf(property) : "unknown source",
					(property != null) ? String.valueOf(property.getValue()) : "", ruleFor(type), remedyFor(type)));
			return standIn(name, target);
		}

		/**
		 * A value where a section is expected is not the one that was being bound.
		 */
		private static @Nullable ConfigurationProperty find(ConfigurationPropertyName name, BindContext context) {
			ConfigurationProperty bound = context.getConfigurationProperty();
			if (bound != null) {
				return bound;
			}
			for (ConfigurationPropertySource source : context.getSources()) {
				ConfigurationProperty property = source.getConfigurationProperty(name);
				if (property != null) {
					return property;
				}
			}
			return null;
		}

	}

}
