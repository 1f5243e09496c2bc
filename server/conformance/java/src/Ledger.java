import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What a receiver keeps of a series: which indexes came, how often, and whether they were intact. */
final class Ledger {
    final CountDownLatch full = new CountDownLatch(1);
    private final Content.Series series;
    private final int count;
    private final Map<Integer, Integer> times = new HashMap<>();
    private final List<String> faults = new ArrayList<>();
    private int received;
    private long bytes;

    Ledger(Content.Series series, int count) {
        this.series = series;
        this.count = count;
    }

    void enter(Content got) {
        int index = -1;
        String fault;
        try {
            index = Integer.parseInt(got.properties().getOrDefault("index", "none"));
            fault = index < count ? series.at(index).diff(got) : "not of this series";
        } catch (NumberFormatException e) {
            fault = "not of this series: properties " + got.properties();
        }
        synchronized (this) {
            received++;
            bytes += got.body().length;
            if (!fault.isEmpty()) {
                faults.add("message " + index + ": " + fault);
                return;
            }
            times.merge(index, 1, Integer::sum);
            if (times.size() == count) {
                full.countDown();
            }
        }
    }

    /** Waits until the ledger is full, or until nothing has come for between one and two times idle. */
    void await(Duration idle) throws InterruptedException {
        for (int before = -1, now = 0; now != before; ) {
            before = now;
            if (full.await(idle.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
            synchronized (this) {
                now = received;
            }
        }
    }

    synchronized Answer report() {
        int duplicates = 0;
        for (int n : times.values()) {
            duplicates += n - 1;
        }
        Answer answer = new Answer()
            .add("received", received).add("distinct", times.size()).add("duplicates", duplicates)
            .add("bytes", bytes).add("faults", faults.size());
        if (!faults.isEmpty()) {
            answer.add("fault", faults.get(0));
        }
        for (int i = 0, told = 0; i < count && told < 10; i++) {
            if (!times.containsKey(i)) {
                answer.add("missing", i);
                told++;
            }
        }
        return answer;
    }
}
