import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.expression.Expression;

/**
 * Asks the reference for its results: REFUSED by the parser, else TRUE, FALSE, NULL, or ERROR when
 * the evaluation throws. How to run it stands in the header of ../golden.txt, which it writes.
 *
 *   Golden make CASES SEED COUNT   the table: the cases of a file, the systematic ones, COUNT random ones
 *   Golden random SEED COUNT       random cases only
 *
 * A line is a result, an expression, and name=value of each property, with tabs between. Backslash,
 * quote and control characters are written as \\, \" and \\u00XX. A file of cases has no results.
 */
public final class Golden {
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    private static final Set<String> SEEN = new LinkedHashSet<>();

    public static void main(String[] args) throws Exception {
        if (args[0].equals("make")) {
            OUT.print(HEADER);
            section("Picked by hand: cases.txt");
            for (String line : Files.readAllLines(Path.of(args[1]))) {
                picked(line);
            }
            section("Every operator with every pair of operands");
            systematic();
            section("Random, seed " + args[2]);
            random(Long.parseLong(args[2]), Integer.parseInt(args[3]));
        } else {
            random(Long.parseLong(args[1]), Integer.parseInt(args[2]));
        }
        OUT.flush();
    }

    private static final String HEADER = String.join("\n",
        "# What org.apache.rocketmq:rocketmq-filter:5.5.0 says: result, expression, properties (tabs between).",
        "# Made by golden/Golden.java; results are REFUSED (parse error), TRUE, FALSE, NULL and ERROR (thrown).",
        "# To make it anew, with Java 17 and Maven, in golden/:",
        "#   mvn -q -B dependency:copy-dependencies -DoutputDirectory=/tmp/sql92-lib",
        "#   java -cp '/tmp/sql92-lib/*' Golden.java make cases.txt 92 600 >../golden.txt",
        "# To compare many more, there and then in the package:",
        "#   java -cp '/tmp/sql92-lib/*' Golden.java random 1 50000 >/tmp/random.txt",
        "#   go test -run TestGolden . -golden /tmp/random.txt", "");

    private static void section(String title) {
        OUT.println("#\n# " + title);
    }

    // ---- one case

    private static void picked(String line) {
        if (line.isEmpty() || line.startsWith("#")) {
            OUT.print(line.isEmpty() ? "" : line + "\n");
            return;
        }
        String[] columns = line.split("\t", -1);
        Map<String, String> properties = new LinkedHashMap<>();
        for (int i = 1; i < columns.length; i++) {
            int equal = columns[i].indexOf('=');
            properties.put(unescape(columns[i].substring(0, equal)), unescape(columns[i].substring(equal + 1)));
        }
        ask(unescape(columns[0]), properties);
    }

    private static void ask(String expression, Map<String, String> properties) {
        StringBuilder line = new StringBuilder(escape(expression));
        properties.forEach((name, value) -> line.append('\t').append(escape(name)).append('=').append(escape(value)));
        if (SEEN.add(line.toString())) {
            OUT.println(answer(expression, properties) + "\t" + line);
        }
    }

    private static String answer(String expression, Map<String, String> properties) {
        Expression compiled;
        try {
            compiled = FilterFactory.INSTANCE.get("SQL92").compile(expression);
        } catch (Throwable refused) {
            return "REFUSED";
        }
        try {
            Object result = compiled.evaluate(new Properties(properties));
            return result == null ? "NULL" : result instanceof Boolean ? result.toString().toUpperCase() : "ERROR";
        } catch (Throwable failed) {
            return "ERROR";
        }
    }

    /** As the broker's MessageEvaluationContext. */
    private record Properties(Map<String, String> properties) implements EvaluationContext {
        public Object get(String name) {
            return properties.get(name);
        }

        public Map<String, Object> keyValues() {
            return new LinkedHashMap<>(properties);
        }
    }

    private static String escape(String text) {
        StringBuilder b = new StringBuilder();
        for (char c : text.toCharArray()) {
            if (c == '\\' || c == '"') {
                b.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa1 || c >= 0x2028 && c <= 0x202f || c == 0xfeff) {
                b.append(String.format("\\u%04x", (int) c));
            } else {
                b.append(c);
            }
        }
        return b.toString();
    }

    private static String unescape(String text) {
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\') {
                b.append(c);
            } else if (text.charAt(++i) == 'u') {
                b.append((char) Integer.parseInt(text.substring(i + 1, i + 5), 16));
                i += 4;
            } else {
                b.append(text.charAt(i));
            }
        }
        return b.toString();
    }

    // ---- systematic cases: p is a property of many values, q is 5, m is missing

    private static final String[] OPERANDS = {"p", "q", "m", "5", "3000000000", "1.5", "'5'", "'x'", "TRUE", "FALSE", "NULL", "-5", "-q", "(q = 5)", "(m = 5)"};
    private static final String[] VALUES = {"", "5", "-5", "+5", "05", "5.0", "1.5", " 5 ", "1e0", "x", "true", "3000000000", "99999999999999999999", "NaN", "Infinity", "0x1p0"};
    private static final String[] TESTS = {
        "%s IS NULL", "%s IS NOT NULL", "%s IN ('5')", "%s NOT IN ('5', 'x')", "%s CONTAINS '5'", "%s NOT CONTAINS '5'",
        "%s STARTSWITH '5'", "%s NOT STARTSWITH '5'", "%s ENDSWITH '5'", "%s NOT ENDSWITH '5'", "%s CONTAINS ''", "%s NOT CONTAINS ''",
        "NOT %s", "NOT (%s)", "%s", "-%s = 5", "+%s = 5", "%s BETWEEN 1 AND 5", "%s NOT BETWEEN 1 AND 5", "%s BETWEEN 1.5 AND 5",
        "5 BETWEEN %s AND 6", "5 BETWEEN 4 AND %s", "5 NOT BETWEEN %s AND 6", "%s BETWEEN q AND q", "%s BETWEEN -5 AND -q"};

    private static void systematic() {
        for (String operator : new String[] {"=", "<>", ">", ">=", "<", "<=", "AND", "OR"}) {
            for (String left : OPERANDS) {
                for (String right : OPERANDS) {
                    ask(left + " " + operator + " " + right, ordered("p", "5", "q", "5"));
                }
            }
        }
        for (String test : TESTS) {
            for (String of : OPERANDS) {
                ask(String.format(test, of), ordered("p", "x", "q", "5"));
            }
        }
        for (String value : VALUES) {
            for (String with : new String[] {"p = %s", "%s = p", "p > %s", "%s <= p"}) {
                for (String of : new String[] {"5", "3000000000", "1.5", "'5'", "TRUE", "q", "-q", "-1.5", "-1"}) {
                    ask(String.format(with, of), ordered("p", value, "q", "5"));
                }
            }
            for (String test : TESTS) {
                ask(String.format(test, "p"), ordered("p", value, "q", "5"));
            }
        }
    }

    private static Map<String, String> ordered(String... of) {
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < of.length; i += 2) {
            map.put(of[i], of[i + 1]);
        }
        return map;
    }

    // ---- random cases

    private static Random random;

    private static void random(long seed, int count) {
        random = new Random(seed);
        for (int end = SEEN.size() + count; SEEN.size() < end; ) {
            switch (random.nextInt(20)) {
                case 0 -> ask(soup(), properties());
                case 1 -> ask(characters(), properties());
                case 2 -> ask(numeric(), ordered("a", characters(FIGURES, 8), "b", rarely(2) ? "1" : one(TEXTS)));
                case 3, 4 -> ask(damaged(or(3)), properties());
                default -> ask(or(1 + random.nextInt(3)), properties());
            }
        }
    }

    private static final String[] NAMES = {"a", "b", "c", "A", "_x", "$y", "a1", "TAGS", "missing"};
    private static final String[] TEXTS = {
        "", " ", "1", "2", "-1", "+1", "01", "1.0", "1.5", "-0", "0", "-0.0", ".5", "5.", "1e1", "1E1d", "2f", "10L", "0x10", "0x1p3", "0x.8P-1D",
        "NaN", "-NaN", "Infinity", "-Infinity", "infinity", "1_0", " 7 ", "\t8", "true", "TRUE", "tRuE", "false", "a", "ab", "abc", "it's", "1,2",
        "2147483647", "2147483648", "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "1e308", "1e309", "-1e309", "1e-400", "4.9e-324", "9007199254740993", "٣", "１２", "é", "😀", "日本語", "--", "/*", "'"};
    private static final String[] NUMBERS = {
        "0", "1", "2", "5", "10", "1l", "1L", "5L", "2147483647", "2147483648", "2147483648L", "9223372036854775807",
        "9007199254740993", "0.5", "1.0", "1.5", ".5", "5.", "1e1", "1E+1", "1.e-1", "00.5", "1e308", "4.9e-324"};
    private static final String[] ODD_NUMBERS = {"007", "0l", "9223372036854775808", "0.0", "1e", "1e309", "1e-400", "0x10", "1.5f", "1.5.2", "017", "1LL"};
    private static final String[] ORDERS = {"=", "<>", ">", ">=", "<", "<="};
    private static final String[] SEARCHES = {"CONTAINS", "STARTSWITH", "ENDSWITH"};
    private static final String[] BLANKS = {" ", " ", " ", " ", " ", " ", "", "  ", "\t", "\n", "\r\n", "\f", "/* c */", "/***/", "-- c\n", "--\r", "/*'*/"};
    private static final String[] JUNK = {
        "#", ".", ",", "(", ")", "=", "==", "!=", "<>", "><", "<", ">", "'", "''", "'a", "\"a\"", "-", "--", "+", "*", "/", "/*", "*/", ";", "%", "é", "a.b", "a-b", "1a",
        "LIKE", "'a%'", "ESCAPE", "IS", "NOT", "AND", "OR", "IN", "BETWEEN", "NULL", "TRUE", "FALSE", "CONTAINS", "XPATH", "NOW", "\\", "\u0000", "\u00a0", "\u000b", "a", "1", "1.5"};

    private static <T> T one(T[] of) {
        return of[random.nextInt(of.length)];
    }

    private static boolean rarely(int of) {
        return random.nextInt(of) == 0;
    }

    private static Map<String, String> properties() {
        Map<String, String> map = new LinkedHashMap<>();
        for (String name : NAMES) {
            if (!name.equals("missing") && !rarely(3)) {
                map.put(name, one(TEXTS));
            }
        }
        return map;
    }

    private static String join(String... words) {
        StringBuilder b = new StringBuilder();
        for (String word : words) {
            if (b.length() > 0) {
                b.append(one(BLANKS));
            }
            b.append(word);
        }
        return b.toString();
    }

    private static String keyword(String word) {
        if (!rarely(4)) {
            return word;
        }
        StringBuilder b = new StringBuilder();
        for (char c : word.toCharArray()) {
            b.append(random.nextBoolean() ? Character.toLowerCase(c) : c);
        }
        return b.toString();
    }

    private static String not(String operator) {
        return rarely(3) ? join(keyword("NOT") + " ", keyword(operator)) : keyword(operator);
    }

    private static String chain(String operator, int depth, java.util.function.IntFunction<String> operand) {
        List<String> words = new ArrayList<>();
        words.add(operand.apply(depth));
        while (rarely(3)) {
            words.add(" " + keyword(operator) + " ");
            words.add(operand.apply(depth));
        }
        return join(words.toArray(new String[0]));
    }

    private static String or(int depth) {
        return chain("OR", depth, d -> chain("AND", d, Golden::test));
    }

    private static String test(int depth) {
        return switch (random.nextInt(14)) {
            case 0 -> join(operand(depth), one(ORDERS), operand(depth));
            case 1, 2, 3 -> join(orderable(), one(ORDERS), orderable());
            case 4 -> join(operand(depth), rarely(2) ? "=" : "<>", operand(depth));
            case 5 -> join(operand(depth), " " + keyword("IS") + " ", rarely(2) ? "NULL" : keyword("NOT") + " null");
            case 6, 7 -> join(rarely(15) ? operand(depth) : property(), " " + not("IN"), "(" + strings() + ")");
            case 8, 9 -> join(operand(depth), " " + not(one(SEARCHES)) + " ", string());
            case 10 -> join(orderable(), " " + not("BETWEEN") + " ", orderable(), " " + keyword("AND") + " ", orderable());
            case 11 -> join(property(), " " + not("BETWEEN") + " ", number(), " " + keyword("AND") + " ", number());
            case 12 -> depth > 0 ? keyword("NOT") + " " + (rarely(2) ? "(" + or(depth - 1) + ")" : operand(depth)) : property();
            default -> join(operand(depth), rarely(4) ? one(ORDERS) : "=", orderable(), rarely(4) ? one(ORDERS) : "<>", operand(depth));
        };
    }

    private static String number() {
        return rarely(20) ? one(ODD_NUMBERS) : one(NUMBERS);
    }

    /** What may stand beside an order, nearly always. */
    private static String orderable() {
        return switch (random.nextInt(10)) {
            case 0 -> "-" + (rarely(3) ? property() : number());
            case 1 -> "(" + (rarely(3) ? "+ " : "") + property() + ")";
            case 2, 3, 4 -> number();
            case 5 -> rarely(3) ? operand(0) : property();
            default -> property();
        };
    }

    private static String strings() {
        StringBuilder b = new StringBuilder(string());
        while (!rarely(3)) {
            b.append(one(BLANKS)).append(',').append(string());
        }
        return b.toString();
    }

    private static String string() {
        return "'" + one(TEXTS).replace("'", "''") + "'";
    }

    private static String property() {
        return one(NAMES);
    }

    private static String operand(int depth) {
        return switch (random.nextInt(16)) {
            case 0, 1, 2, 3, 4, 5 -> property();
            case 6, 7, 8 -> number();
            case 9, 10 -> string();
            case 11 -> keyword(one(new String[] {"TRUE", "FALSE", "NULL"}));
            case 12 -> one(new String[] {"-", "+", "- ", "NOT "}) + operand(depth);
            case 13 -> "(" + operand(depth) + ")";
            default -> depth > 0 ? "(" + or(depth - 1) + ")" : property();
        };
    }

    /** Any tokens in any order. */
    private static String soup() {
        List<String> words = new ArrayList<>();
        for (int n = 1 + random.nextInt(8); n > 0; n--) {
            words.add(rarely(2) ? one(JUNK) : operand(0));
        }
        return join(words.toArray(new String[0]));
    }

    /** What a lexer may stumble over, at the places where it may. */
    private static String characters() {
        return one(new String[] {"", "", "a = ", "a = 1 ", "a IN ('x'", "NOT "}) + characters("''--//**..\n\r 011eEl+xa<>=()", 12);
    }

    private static String characters(String of, int max) {
        StringBuilder b = new StringBuilder();
        for (int n = random.nextInt(max); n >= 0; n--) {
            b.append(of.charAt(random.nextInt(of.length())));
        }
        return b.toString();
    }

    private static final String FIGURES = "00112359..eE+-xXpPfFdDLAb \t_٣１";

    /** A property made into a number. */
    private static String numeric() {
        String left = rarely(2) ? "a" : "(a)";
        return left + " " + one(ORDERS) + " " + one(new String[] {"1", "3000000000", "1.5", "b", ".5"});
    }

    /** An expression with something added, lost or replaced. */
    private static String damaged(String expression) {
        int at = random.nextInt(expression.length() + 1);
        int to = Math.min(expression.length(), at + random.nextInt(3));
        return expression.substring(0, at) + (rarely(3) ? "" : one(JUNK)) + expression.substring(to);
    }
}
