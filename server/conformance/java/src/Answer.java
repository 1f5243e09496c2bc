import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** A line of the protocol going out: a URL query string. */
final class Answer {
    private final StringBuilder line = new StringBuilder();

    Answer add(String name, Object value) {
        if (line.length() > 0) {
            line.append('&');
        }
        line.append(name).append('=').append(URLEncoder.encode(String.valueOf(value), StandardCharsets.UTF_8));
        return this;
    }

    @Override
    public String toString() {
        return line.toString();
    }
}
