"""The operations that send."""

import threading
import time

from rocketmq import Message, Producer, TransactionChecker, TransactionResolution

from content import Series
from starting import started

RESOLUTIONS = {
    "commit": TransactionResolution.COMMIT,
    "rollback": TransactionResolution.ROLLBACK,
    "unknown": TransactionResolution.TRANSACTION_RESOLUTION_UNSPECIFIED,
}


class Checker(TransactionChecker):
    """Says one thing after the other about each message; the last for ever."""

    def __init__(self, says):
        self.says = says
        self.asked = []  # ids

    def check(self, message):
        before = self.asked.count(message.message_id)
        self.asked.append(message.message_id)
        return RESOLUTIONS[self.says[min(before, len(self.says) - 1)]]


class Producing:
    def __init__(self, configuration, tls):
        self.configuration = configuration
        self.tls = tls
        self.lock = threading.Lock()
        self.producers = {}  # by topic
        self.checkers = {}  # by topic

    def start(self, args):
        self._producer(args)

    def _producer(self, args):
        """The producer of a topic, started at the first use."""
        topic, check = args["topic"], args.get("check")
        with self.lock:
            if topic not in self.producers:
                if check:
                    self.checkers[topic] = Checker(check.split(","))
                self.producers[topic] = started(lambda: Producer(
                    self.configuration, (topic,), checker=self.checkers.get(topic), tls_enable=self.tls))
            return self.producers[topic]

    def asked(self, args):
        checker = self.checkers.get(args["topic"])
        ids = list(checker.asked) if checker else []
        return [("count", len(ids))] + [("id", i) for i in ids]

    def send(self, args):
        producer = self._producer(args)
        receipt = producer.send(message(args, Series(args), int(args["index"])))
        return [("id", receipt.message_id), ("recall", receipt.recall_handle or "")]

    def send_series(self, args):
        """Sends without waiting for the answers, inflight at a time."""
        producer, series = self._producer(args), Series(args)
        inflight = int(args["inflight"])
        room = threading.Semaphore(inflight)
        outcomes = []  # None for each that went well

        def ended(future):
            outcomes.append(future.exception())
            room.release()

        begin = time.monotonic()
        for i in range(int(args["count"])):
            room.acquire()
            producer.send_async(message(args, series, i)).add_done_callback(ended)
        for _ in range(inflight):
            room.acquire()
        failures = [e for e in outcomes if e is not None]
        return [("sent", len(outcomes) - len(failures)), ("failed", len(failures)), ("failure", failures[-1] if failures else ""),
                ("millis", int((time.monotonic() - begin) * 1e3))]

    def transact(self, args):
        """Sends a half message, and decides about it when there is a verdict."""
        producer = self._producer(args)
        transaction = producer.begin_transaction()
        receipt = producer.send(message(args, Series(args), int(args["index"])), transaction)
        if args["verdict"] == "commit":
            transaction.commit()
        elif args["verdict"] == "rollback":
            transaction.rollback()
        return [("id", receipt.message_id)]

    def recall(self, args):
        return [("id", self._producer(args).recall_message(args["topic"], args["recall"]))]

    def close(self):
        for producer in self.producers.values():
            producer.shutdown()


def message(args, series, index):
    """A message of a series with what a call adds."""
    content = series.at(index)
    m = Message()
    m.topic, m.body, m.tag = args["topic"], content.body, content.tag
    for key in content.keys:
        m.keys = key  # adds one
    for key, value in content.properties.items():
        m.add_property(key, value)
    for name, value in args.items():
        if name.startswith("p."):
            m.add_property(name[2:], value)
    if args.get("messagegroup"):
        m.message_group = args["messagegroup"]
    if args.get("due"):
        m.delivery_timestamp = int(args["due"]) // 1000  # the client has seconds
    if args.get("lite"):
        m.lite_topic = args["lite"]
    if args.get("priority"):
        m.priority = int(args["priority"])
    return m
