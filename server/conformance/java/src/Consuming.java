import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientException;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.consumer.ConsumeResult;
import org.apache.rocketmq.client.apis.consumer.FilterExpression;
import org.apache.rocketmq.client.apis.consumer.FilterExpressionType;
import org.apache.rocketmq.client.apis.consumer.LitePushConsumer;
import org.apache.rocketmq.client.apis.consumer.MessageListener;
import org.apache.rocketmq.client.apis.consumer.PushConsumer;
import org.apache.rocketmq.client.apis.consumer.SimpleConsumer;
import org.apache.rocketmq.client.apis.message.MessageView;

/** The operations that receive. */
final class Consuming {
    /** How long a drain keeps a message from others: longer than any drain. */
    private static final Duration INVISIBLE = Duration.ofMinutes(5);

    private record Push(PushConsumer consumer, Ledger ledger) {
    }

    /** A simple consumer and the messages it holds, by message id. */
    private record Simple(SimpleConsumer consumer, Map<String, MessageView> held) {
        MessageView heldBy(Args args) {
            MessageView view = held.get(args.text("id"));
            if (view == null) {
                throw new IllegalArgumentException("no such message held: " + args.text("id"));
            }
            return view;
        }
    }

    private final ClientServiceProvider provider = ClientServiceProvider.loadService();
    private final ClientConfiguration configuration;
    private final Map<String, Push> push = new ConcurrentHashMap<>();
    private final Map<String, Simple> simple = new ConcurrentHashMap<>();

    Consuming(ClientConfiguration configuration) {
        this.configuration = configuration;
    }

    private static Map<String, FilterExpression> filters(Args args) {
        FilterExpressionType type = "true".equals(args.text("sql")) ? FilterExpressionType.SQL92 : FilterExpressionType.TAG;
        return Map.of(args.text("topic"), new FilterExpression(args.text("filter"), type));
    }

    Answer startPush(Args args) throws ClientException {
        Ledger ledger = new Ledger(args.series(), args.number("count"));
        PushConsumer consumer = provider.newPushConsumerBuilder().setClientConfiguration(configuration)
            .setConsumerGroup(args.text("group")).setSubscriptionExpressions(filters(args))
            .setConsumptionThreadCount(8)
            .setMessageListener(view -> {
                ledger.enter(content(view));
                return ConsumeResult.SUCCESS;
            }).build();
        push.put(args.text("group"), new Push(consumer, ledger));
        return new Answer();
    }

    Answer waitPush(Args args) throws InterruptedException {
        Ledger ledger = push.get(args.text("group")).ledger();
        ledger.await(args.millis("idle"));
        return ledger.report();
    }

    Answer startSimple(Args args) throws ClientException {
        SimpleConsumer consumer = provider.newSimpleConsumerBuilder().setClientConfiguration(configuration)
            .setConsumerGroup(args.text("group")).setSubscriptionExpressions(filters(args))
            .setAwaitDuration(args.millis("await")).build();
        simple.put(args.text("group"), new Simple(consumer, new ConcurrentHashMap<>()));
        return new Answer();
    }

    Answer receive(Args args) throws Exception {
        Simple s = simple.get(args.text("group"));
        List<MessageView> views = s.consumer().receive(args.number("max"), args.millis("invisible"));
        Answer answer = new Answer();
        for (MessageView view : views) {
            s.held().put(view.getMessageId().toString(), view);
            answer.add("message", told(view));
        }
        return answer;
    }

    /** A message as an answer has it. */
    private static String told(MessageView view) {
        Content c = content(view);
        Answer a = new Answer().add("id", view.getMessageId()).add("topic", view.getTopic())
            .add("tag", c.tag()).add("index", c.properties().getOrDefault("index", ""))
            .add("attempt", view.getDeliveryAttempt()).add("fingerprint", c.fingerprint())
            .add("at", System.currentTimeMillis());
        view.getMessageGroup().ifPresent(g -> a.add("group", g));
        view.getDeliveryTimestamp().ifPresent(d -> a.add("due", d));
        view.getLiteTopic().ifPresent(l -> a.add("lite", l));
        view.getPriority().ifPresent(p -> a.add("priority", p));
        return a.toString();
    }

    /** What a push consumer's listener was called with. */
    private static final class Journal {
        private final List<String> heard = new ArrayList<>();

        synchronized void enter(String told) {
            heard.add(told);
            notifyAll();
        }

        synchronized Answer answer(int count, long patienceMillis) throws InterruptedException {
            long end = System.currentTimeMillis() + patienceMillis;
            for (long left = patienceMillis; heard.size() < count && left > 0; left = end - System.currentTimeMillis()) {
                wait(left);
            }
            Answer answer = new Answer();
            heard.forEach(m -> answer.add("message", m));
            return answer;
        }
    }

    private final Map<String, Journal> journals = new ConcurrentHashMap<>();

    /** A listener that keeps a journal and fails the first attempts of each message. */
    private MessageListener listener(Args args) {
        Journal journal = new Journal();
        journals.put(args.text("group"), journal);
        int fails = args.number("fail");
        return view -> {
            journal.enter(told(view));
            return view.getDeliveryAttempt() <= fails ? ConsumeResult.FAILURE : ConsumeResult.SUCCESS;
        };
    }

    Answer listen(Args args) throws ClientException {
        provider.newPushConsumerBuilder().setClientConfiguration(configuration)
            .setConsumerGroup(args.text("group")).setSubscriptionExpressions(filters(args))
            .setConsumptionThreadCount(8).setMessageListener(listener(args)).build();
        return new Answer();
    }

    private final Map<String, LitePushConsumer> lite = new ConcurrentHashMap<>();

    Answer startLite(Args args) throws ClientException {
        lite.put(args.text("group"), provider.newLitePushConsumerBuilder().setClientConfiguration(configuration)
            .setConsumerGroup(args.text("group")).bindTopic(args.text("topic"))
            .setConsumptionThreadCount(8).setMessageListener(listener(args)).build());
        return new Answer();
    }

    Answer subscribe(Args args) throws ClientException {
        lite.get(args.text("group")).subscribeLite(args.text("lite"));
        return new Answer();
    }

    Answer unsubscribe(Args args) throws ClientException {
        lite.get(args.text("group")).unsubscribeLite(args.text("lite"));
        return new Answer();
    }

    Answer heard(Args args) throws InterruptedException {
        return journals.get(args.text("group")).answer(args.number("count"), args.number("for"));
    }

    Answer ack(Args args) throws ClientException {
        Simple s = simple.get(args.text("group"));
        s.consumer().ack(s.heldBy(args));
        return new Answer();
    }

    Answer change(Args args) throws ClientException {
        Simple s = simple.get(args.text("group"));
        s.consumer().changeInvisibleDuration(s.heldBy(args), args.millis("invisible"));
        return new Answer();
    }

    /** Receives on several long polls at once, acks, and stops when the ledger is full or nothing comes. */
    Answer drain(Args args) throws Exception {
        Simple s = simple.get(args.text("group"));
        Ledger ledger = new Ledger(args.series(), args.number("count"));
        AtomicReference<Throwable> failure = new AtomicReference<>();
        long begin = System.nanoTime();
        AtomicBoolean over = new AtomicBoolean();
        int polls = args.number("inflight");
        Collection<CompletableFuture<?>> acks = new ConcurrentLinkedQueue<>();
        var threads = Executors.newFixedThreadPool(polls);
        for (int i = 0; i < polls; i++) {
            threads.execute(() -> {
                while (!over.get()) {
                    try {
                        for (MessageView view : s.consumer().receive(32, INVISIBLE)) {
                            acks.add(s.consumer().ackAsync(view).exceptionally(t -> {
                                failure.set(t);
                                return null;
                            }));
                            ledger.enter(content(view));
                        }
                    } catch (Exception e) {
                        failure.set(e);
                    }
                }
            });
        }
        threads.shutdown();
        ledger.await(args.millis("idle"));
        over.set(true); // a poll for more may still wait
        acks.forEach(CompletableFuture::join);
        Answer answer = ledger.report().add("millis", (System.nanoTime() - begin) / 1_000_000);
        return failure.get() == null ? answer : answer.add("failure", failure.get());
    }

    /** Receives and acks until nothing has come for a while. */
    Answer drainIds(Args args) throws Exception {
        Simple s = simple.get(args.text("group"));
        List<String> ids = new ArrayList<>();
        long idle = TimeUnit.MILLISECONDS.toNanos(args.number("idle"));
        long quiet = System.nanoTime() + idle;
        while (System.nanoTime() < quiet) {
            List<MessageView> views = s.consumer().receive(32, INVISIBLE);
            for (MessageView view : views) {
                ids.add(view.getMessageId().toString());
                s.consumer().ackAsync(view); // unacked comes again, which is allowed
            }
            if (!views.isEmpty()) {
                quiet = System.nanoTime() + idle;
            }
        }
        return new Answer().add("ids", String.join(",", ids));
    }

    /** What the client's view holds, as Content knows it. */
    private static Content content(MessageView view) {
        ByteBuffer buffer = view.getBody();
        byte[] body = new byte[buffer.remaining()];
        buffer.get(body);
        return new Content(body, view.getTag().orElse(""), List.copyOf(view.getKeys()), Map.copyOf(view.getProperties()));
    }

    /** A push consumer's shutdown waits for its long polls, so nobody waits for it: the process ends when told. */
    void close() throws InterruptedException {
        CountDownLatch closed = new CountDownLatch(simple.size());
        for (Simple s : simple.values()) {
            CompletableFuture.runAsync(() -> {
                try {
                    s.consumer().close();
                } catch (Exception e) {
                    e.printStackTrace();
                }
                closed.countDown();
            });
        }
        closed.await(3, TimeUnit.SECONDS);
    }
}
