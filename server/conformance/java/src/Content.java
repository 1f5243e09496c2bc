import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Messages made from a seed and an index: the twin of content.go, which has the reasons. */
record Content(byte[] body, String tag, List<String> keys, Map<String, String> properties) {
    static final int BODY_BYTES_MAX = 4 << 20;

    /** A row of messages, numbered from 0, none longer than bytesMost. */
    record Series(long seed, int bytesMost) {
        int size(int index) {
            int r = index * 389 % 1000;
            int size;
            if (r == 0) {
                size = 1;
            } else if (r == 389) {
                size = BODY_BYTES_MAX;
            } else if (r < 10) {
                size = between(index, 64 << 10, 1 << 20);
            } else if (r < 100) {
                size = between(index, 4 << 10, 64 << 10);
            } else {
                size = between(index, 1, 4 << 10);
            }
            return Math.min(size, bytesMost);
        }

        private int between(int index, long low, long high) {
            return (int) (low + Long.remainderUnsigned(random(index).next(), high - low + 1));
        }

        Content at(int index) {
            SplitMix random = random(index);
            random.next(); // size had this one
            byte[] body = new byte[size(index)];
            for (int at = 0; at < body.length; at += 8) {
                long word = random.next();
                for (int i = at; i < Math.min(at + 8, body.length); i++) {
                    body[i] = (byte) word;
                    word >>>= 8;
                }
            }
            return new Content(body, "tag-" + index % 7, List.of("key-" + index, "row-" + index % 13), Map.of(
                "seed", Long.toUnsignedString(seed),
                "index", Integer.toString(index),
                "note", "ø 世界 =&; " + index));
        }

        private SplitMix random(int index) {
            return new SplitMix(new SplitMix(seed).next() ^ index);
        }
    }

    private static final class SplitMix {
        private long state;

        SplitMix(long state) {
            this.state = state;
        }

        long next() {
            state += 0x9E3779B97F4A7C15L;
            long z = state;
            z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
            z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
            return z ^ z >>> 31;
        }
    }

    /** How got differs, or nothing when it does not. */
    String diff(Content got) {
        StringBuilder faults = new StringBuilder();
        if (!Arrays.equals(body, got.body)) {
            faults.append("body of ").append(got.body.length).append(" bytes, want ").append(body.length)
                .append("; first difference at ").append(Arrays.mismatch(body, got.body)).append("; ");
        }
        if (!tag.equals(got.tag)) {
            faults.append("tag ").append(got.tag).append(", want ").append(tag).append("; ");
        }
        if (!keys.equals(got.keys)) {
            faults.append("keys ").append(got.keys).append(", want ").append(keys).append("; ");
        }
        if (!properties.equals(got.properties)) {
            faults.append("properties ").append(got.properties).append(", want ").append(properties);
        }
        return faults.toString();
    }

    String fingerprint() {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
        digest.update(body);
        StringBuilder rest = new StringBuilder("\0" + tag + "\0" + String.join(" ", keys));
        new TreeMap<>(properties).forEach((key, value) -> rest.append("\0").append(key).append("=").append(value));
        digest.update(rest.toString().getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(digest.digest());
    }
}
