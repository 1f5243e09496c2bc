import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** A line of the protocol coming in. */
final class Args {
    private final Map<String, String> values = new HashMap<>();

    Args(String line) {
        for (String pair : line.split("&")) {
            int eq = pair.indexOf('=');
            if (eq > 0) {
                values.put(pair.substring(0, eq), URLDecoder.decode(pair.substring(eq + 1), StandardCharsets.UTF_8));
            }
        }
    }

    Map<String, String> startingWith(String prefix) {
        Map<String, String> found = new HashMap<>();
        values.forEach((name, value) -> {
            if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), value);
            }
        });
        return found;
    }

    long big(String name) {
        return text(name).isEmpty() ? 0 : Long.parseLong(text(name));
    }

    String text(String name) {
        return values.getOrDefault(name, "");
    }

    int number(String name) {
        return text(name).isEmpty() ? 0 : Integer.parseInt(text(name));
    }

    Duration millis(String name) {
        return Duration.ofMillis(number(name));
    }

    Content.Series series() {
        return new Content.Series(Long.parseUnsignedLong(text("seed")), number("most"));
    }
}
