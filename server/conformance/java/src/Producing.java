import java.util.ArrayList;
import java.util.Collections;
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
import org.apache.rocketmq.client.apis.producer.ProducerBuilder;
import org.apache.rocketmq.client.apis.producer.SendReceipt;
import org.apache.rocketmq.client.apis.producer.Transaction;
import org.apache.rocketmq.client.apis.producer.TransactionChecker;
import org.apache.rocketmq.client.apis.producer.TransactionResolution;

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

    /** Ids that a topic's producers were asked about. */
    private final Map<String, List<String>> asked = new ConcurrentHashMap<>();

    Answer start(Args args) throws ClientException {
        producer(args.text("topic"), args.text("check"));
        return new Answer();
    }

    private Producer producer(String topic) throws ClientException {
        return producer(topic, "");
    }

    /** The producer of a topic, started at the first use. One attempt a send, so that its deadline is a request's. */
    private synchronized Producer producer(String topic, String check) throws ClientException {
        Producer p = producers.get(topic);
        if (p == null) {
            ProducerBuilder b = provider.newProducerBuilder().setClientConfiguration(configuration).setTopics(topic)
                .setMaxAttempts(1);
            if (!check.isEmpty()) {
                b.setTransactionChecker(checker(topic, check.split(",")));
            }
            p = b.build();
            producers.put(topic, p);
        }
        return p;
    }

    /** What a checker says, one after the other; the last for ever. */
    private TransactionChecker checker(String topic, String[] checks) {
        List<String> ids = Collections.synchronizedList(new ArrayList<>());
        asked.put(topic, ids);
        Map<String, AtomicInteger> times = new ConcurrentHashMap<>();
        return view -> {
            String id = view.getMessageId().toString();
            ids.add(id);
            int n = times.computeIfAbsent(id, k -> new AtomicInteger()).getAndIncrement();
            return TransactionResolution.valueOf(checks[Math.min(n, checks.length - 1)].toUpperCase());
        };
    }

    Answer asked(Args args) {
        List<String> ids = List.of(asked.getOrDefault(args.text("topic"), List.of()).toArray(new String[0]));
        Answer answer = new Answer().add("count", ids.size());
        ids.forEach(id -> answer.add("id", id));
        return answer;
    }

    /** Sends a half message, and decides about it when there is a verdict. */
    Answer transact(Args args) throws Exception {
        String topic = args.text("topic");
        Producer p = producer(topic, args.text("check"));
        Transaction transaction = p.beginTransaction();
        SendReceipt receipt = p.send(message(topic, args.series().at(args.number("index")), args), transaction);
        switch (args.text("verdict")) {
            case "commit" -> transaction.commit();
            case "rollback" -> transaction.rollback();
            default -> { }
        }
        return new Answer().add("id", receipt.getMessageId());
    }

    Answer recall(Args args) throws Exception {
        String topic = args.text("topic");
        return new Answer().add("id", producer(topic).recallMessage(topic, args.text("recall")).getMessageId());
    }

    private Message message(String topic, Content c) {
        return message(topic, c, new Args(""));
    }

    /** A message of a series with what a call adds. */
    private Message message(String topic, Content c, Args args) {
        MessageBuilder b = provider.newMessageBuilder().setTopic(topic).setBody(c.body()).setTag(c.tag())
            .setKeys(c.keys().toArray(new String[0]));
        c.properties().forEach(b::addProperty);
        args.startingWith("p.").forEach(b::addProperty);
        if (!args.text("messagegroup").isEmpty()) {
            b.setMessageGroup(args.text("messagegroup"));
        }
        if (args.big("due") != 0) {
            b.setDeliveryTimestamp(args.big("due"));
        }
        if (!args.text("lite").isEmpty()) {
            b.setLiteTopic(args.text("lite"));
        }
        if (!args.text("priority").isEmpty()) {
            b.setPriority(args.number("priority"));
        }
        return b.build();
    }

    Answer send(Args args) throws Exception {
        String topic = args.text("topic");
        Producer p = producer(topic);
        Message m = message(topic, args.series().at(args.number("index")), args);
        SendReceipt receipt = p.send(m);
        String recall = receipt.getRecallHandle();
        return new Answer().add("id", receipt.getMessageId()).add("recall", recall == null ? "" : recall);
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
