"""The operations that receive."""

import threading
import time
from urllib.parse import urlencode

from rocketmq import ConsumeResult, FilterExpression, LitePushConsumer, MessageListener, PushConsumer, SimpleConsumer
from rocketmq.grpc_protocol import FilterType

from content import Content
from starting import started


class Listener(MessageListener):
    """Fails the first attempts of each message, and keeps a journal of all."""

    def __init__(self, fails):
        self.fails = fails
        self.heard = []
        self.ids = []
        self.changed = threading.Condition()

    def consume(self, message):
        with self.changed:
            self.heard.append(told(message))
            self.ids.append(message.message_id)
            self.changed.notify_all()
            # A FIFO message that is tried again in place keeps its delivery attempt.
            return ConsumeResult.FAILURE if self.ids.count(message.message_id) <= self.fails else ConsumeResult.SUCCESS

    def at_least(self, count, patience):
        with self.changed:
            self.changed.wait_for(lambda: len(self.heard) >= count, patience)
            return list(self.heard)


class Consuming:
    def __init__(self, configuration, tls):
        self.configuration = configuration
        self.tls = tls
        self.simple = {}  # by group
        self.held = {}  # messages, by group and id
        self.listeners = {}  # by group
        self.pushed = {}  # push consumers, by group

    def start_simple(self, args):
        self.simple[args["group"]] = started(lambda: SimpleConsumer(
            self.configuration, args["group"], filters(args), await_duration=seconds(args["await"]), tls_enable=self.tls))

    def receive(self, args):
        messages = self.simple[args["group"]].receive(int(args["max"]), seconds(args["invisible"]))
        for m in messages:
            self.held[args["group"], m.message_id] = m
        return [("message", told(m)) for m in messages]

    def ack(self, args):
        self.simple[args["group"]].ack(self.held[args["group"], args["id"]])

    def change(self, args):
        message = self.held[args["group"], args["id"]]
        self.simple[args["group"]].change_invisible_duration(message, seconds(args["invisible"]))

    def listen(self, args):
        self._push(args, lambda listener: PushConsumer(
            self.configuration, args["group"], listener, filters(args), consumption_thread_count=8, tls_enable=self.tls))

    def lite(self, args):
        self._push(args, lambda listener: LitePushConsumer(
            self.configuration, args["group"], args["topic"], listener, consumption_thread_count=8, tls_enable=self.tls))

    def _push(self, args, make):
        listener = self.listeners[args["group"]] = Listener(int(args.get("fail", 0)))
        self.pushed[args["group"]] = started(lambda: make(listener))

    def subscribe(self, args):
        self.pushed[args["group"]].subscribe_lite(args["lite"])

    def unsubscribe(self, args):
        self.pushed[args["group"]].unsubscribe_lite(args["lite"])

    def heard(self, args):
        heard = self.listeners[args["group"]].at_least(int(args["count"]), int(args["for"]) / 1e3)
        return [("message", m) for m in heard]

    def close(self):
        for consumer in self.simple.values():
            consumer.shutdown()


def seconds(millis):
    """The client's durations are whole seconds."""
    return int(millis) // 1000


def filters(args):
    kind = FilterType.SQL if args.get("sql") == "true" else FilterType.TAG
    return {args["topic"]: FilterExpression(args["filter"], kind)}


def told(m):
    """A message as an answer has it. The client keeps keys in a set."""
    content = Content(m.body, m.tag or "", sorted(m.keys), m.properties)
    pairs = {
        "id": m.message_id, "topic": m.topic, "tag": content.tag, "index": m.properties.get("index", ""),
        "attempt": m.delivery_attempt, "fingerprint": content.fingerprint(), "at": time.time_ns() // 1_000_000,
    }
    for name, value in (("group", m.message_group), ("due", m.delivery_timestamp), ("lite", m.lite_topic), ("priority", m.priority)):
        if value:
            pairs[name] = value
    return urlencode(pairs)
