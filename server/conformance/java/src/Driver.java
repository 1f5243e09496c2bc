import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientException;

/**
 * The program around the official Java client. It speaks the line protocol of package client, whose wire.go
 * lists the operations, on its standard input and output.
 */
public final class Driver {
    private interface Operation {
        Answer run(Args args) throws Exception;
    }

    private final PrintStream out;
    private final Producing producing;
    private final Consuming consuming;

    private Driver(PrintStream out, ClientConfiguration configuration) {
        this.out = out;
        this.producing = new Producing(configuration);
        this.consuming = new Consuming(configuration);
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // the client's own prints are not answers
        ClientConfiguration configuration = ClientConfiguration.newBuilder()
            .setEndpoints(System.getenv("CLIENT_ENDPOINT"))
            .enableSsl(Boolean.parseBoolean(System.getenv("CLIENT_TLS")))
            .setRequestTimeout(Duration.ofMillis(Long.parseLong(System.getenv("CLIENT_REQUEST_TIMEOUT"))))
            .build();
        Driver driver = new Driver(out, configuration);
        ExecutorService calls = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Args call = new Args(line);
            calls.execute(() -> driver.answer(call));
        }
        Runtime.getRuntime().halt(0);
    }

    private void answer(Args args) {
        Answer answer;
        try {
            answer = operation(args.text("op")).run(args);
        } catch (Throwable t) {
            answer = new Answer().add("error", t).add("code", code(t));
        }
        String line = answer.add("call", args.text("call")).toString();
        synchronized (out) {
            out.println(line);
        }
    }

    private Operation operation(String name) {
        return switch (name) {
            case "fingerprint" -> a -> new Answer().add("fingerprint", a.series().at(a.number("index")).fingerprint());
            case "producer" -> producing::start;
            case "send" -> producing::send;
            case "send-series" -> producing::sendSeries;
            case "load-start" -> producing::startLoad;
            case "load-stop" -> producing::stopLoad;
            case "push" -> consuming::startPush;
            case "push-wait" -> consuming::waitPush;
            case "simple" -> consuming::startSimple;
            case "receive" -> consuming::receive;
            case "ack" -> consuming::ack;
            case "change" -> consuming::change;
            case "drain" -> consuming::drain;
            case "drain-ids" -> consuming::drainIds;
            case "transact" -> producing::transact;
            case "asked" -> producing::asked;
            case "recall" -> producing::recall;
            case "listen" -> consuming::listen;
            case "lite" -> consuming::startLite;
            case "subscribe" -> consuming::subscribe;
            case "unsubscribe" -> consuming::unsubscribe;
            case "heard" -> consuming::heard;
            case "stop" -> a -> {
                producing.close();
                consuming.close();
                return new Answer();
            };
            default -> throw new IllegalArgumentException("no such operation: " + name);
        };
    }

    private static final Pattern RESPONSE_CODE = Pattern.compile("response-code=(\\d+)");

    /** The proxy's Status code in an exception of the client, or 0. The client tells it in the text only. */
    static int code(Throwable t) {
        for (; t != null; t = t.getCause()) {
            Matcher m = RESPONSE_CODE.matcher(String.valueOf(t.getMessage()));
            if (t instanceof ClientException && m.find()) {
                return Integer.parseInt(m.group(1));
            }
        }
        return 0;
    }
}
