import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientException;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.message.Message;
import org.apache.rocketmq.client.apis.message.MessageBuilder;
import org.apache.rocketmq.client.apis.producer.Producer;
import org.apache.rocketmq.client.apis.producer.SendReceipt;

/** The operations that send. */
final class Producing {
    private static final int LOAD_INFLIGHT_MAX = 64;

    private final ClientServiceProvider provider = ClientServiceProvider.loadService();
    private final ClientConfiguration configuration;
    private final Map<String, Producer> producers = new ConcurrentHashMap<>();
    private final Map<String, Load> loads = new ConcurrentHashMap<>();

    Producing(ClientConfiguration configuration) {
        this.configuration = configuration;
    }

    Answer start(Args args) throws ClientException {
        producer(args.text("topic"));
        return new Answer();
    }

    /** The producer of a topic, started at the first use. One attempt a send, so that its deadline is a request's. */
    private synchronized Producer producer(String topic) throws ClientException {
        Producer p = producers.get(topic);
        if (p == null) {
            p = provider.newProducerBuilder().setClientConfiguration(configuration).setTopics(topic)
                .setMaxAttempts(1).build();
            producers.put(topic, p);
        }
        return p;
    }

    private Message message(String topic, Content c) {
        MessageBuilder b = provider.newMessageBuilder().setTopic(topic).setBody(c.body()).setTag(c.tag())
            .setKeys(c.keys().toArray(new String[0]));
        c.properties().forEach(b::addProperty);
        return b.build();
    }

    Answer send(Args args) throws Exception {
        String topic = args.text("topic");
        Producer p = producer(topic);
        Message m = message(topic, args.series().at(args.number("index")));
        long begin = System.nanoTime();
        SendReceipt receipt = p.send(m);
        return new Answer().add("id", receipt.getMessageId())
            .add("micros", (System.nanoTime() - begin) / 1000);
    }

    /** Adds up sends that run side by side. */
    private static class Tally {
        final List<String> ids = new ArrayList<>();
        private long bytes;
        private int failed;
        private Throwable failure;
        private long slowestNanos;

        synchronized void enter(SendReceipt receipt, int size, long nanos, Throwable t) {
            slowestNanos = Math.max(slowestNanos, nanos);
            if (t != null) {
                failed++;
                failure = t;
                return;
            }
            ids.add(receipt.getMessageId().toString());
            bytes += size;
        }

        synchronized Answer answer() {
            Answer a = new Answer().add("sent", ids.size()).add("bytes", bytes).add("failed", failed)
                .add("slowest", slowestNanos / 1000);
            return failure == null ? a : a.add("failure", failure);
        }

        /** Sends without waiting; the future ends after the entry, and never badly. */
        CompletableFuture<Void> send(Producer p, Message m, int size) {
            long begin = System.nanoTime();
            return p.sendAsync(m).handle((receipt, t) -> {
                enter(receipt, size, System.nanoTime() - begin, t);
                return null;
            });
        }
    }

    Answer sendSeries(Args args) throws Exception {
        String topic = args.text("topic");
        Producer p = producer(topic);
        Content.Series series = args.series();
        int count = args.number("count");
        int inflight = args.number("inflight");
        Tally tally = new Tally();
        Semaphore room = new Semaphore(inflight);
        long begin = System.nanoTime();
        for (int i = 0; i < count; i++) {
            room.acquire();
            tally.send(p, message(topic, series.at(i)), series.size(i)).thenRun(room::release);
        }
        room.acquire(inflight);
        return tally.answer().add("millis", (System.nanoTime() - begin) / 1_000_000);
    }

    /** Sends at a steady pace, without waiting for answers, until it is stopped. */
    private static final class Load extends Tally {
        final ScheduledExecutorService pace = Executors.newSingleThreadScheduledExecutor();
        final Semaphore room = new Semaphore(LOAD_INFLIGHT_MAX);
        final AtomicInteger next = new AtomicInteger();
    }

    Answer startLoad(Args args) throws Exception {
        String topic = args.text("topic");
        Producer p = producer(topic);
        Content.Series series = args.series();
        Load load = new Load();
        loads.put(topic, load);
        load.pace.scheduleAtFixedRate(() -> {
            load.room.acquireUninterruptibly();
            int i = load.next.getAndIncrement();
            load.send(p, message(topic, series.at(i)), series.size(i)).thenRun(load.room::release);
        }, 0, args.number("every"), TimeUnit.MILLISECONDS);
        return new Answer();
    }

    Answer stopLoad(Args args) throws Exception {
        Load load = loads.get(args.text("topic"));
        load.pace.shutdown();
        load.pace.awaitTermination(1, TimeUnit.MINUTES);
        load.room.acquire(LOAD_INFLIGHT_MAX);
        return load.answer().add("ids", String.join(",", load.ids));
    }

    void close() throws InterruptedException {
        CountDownLatch closed = new CountDownLatch(producers.size());
        for (Producer p : producers.values()) {
            CompletableFuture.runAsync(() -> {
                try {
                    p.close();
                } catch (Exception e) {
                    e.printStackTrace();
                }
                closed.countDown();
            });
        }
        closed.await(3, TimeUnit.SECONDS);
    }
}
