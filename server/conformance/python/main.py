"""The program around the official Python client. It speaks the line protocol of ../client on its standard input and output."""

import os
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlencode

from rocketmq import ClientConfiguration, Credentials

from consuming import Consuming
from content import Series
from producing import Producing

CALLS_MOST = 64  # side by side; most of them wait


def fingerprint(args):
    return [("fingerprint", Series(args).at(int(args["index"])).fingerprint())]


def main():
    tls = os.environ["CLIENT_TLS"] == "true"
    configuration = ClientConfiguration(os.environ["CLIENT_ENDPOINT"], Credentials(),
                                        request_timeout=int(os.environ["CLIENT_REQUEST_TIMEOUT"]) // 1000)
    producing, consuming = Producing(configuration, tls), Consuming(configuration, tls)

    def stop(_):
        producing.close()
        consuming.close()

    operations = {
        "fingerprint": fingerprint,
        "producer": producing.start,
        "send": producing.send,
        "send-series": producing.send_series,
        "transact": producing.transact,
        "asked": producing.asked,
        "recall": producing.recall,
        "simple": consuming.start_simple,
        "receive": consuming.receive,
        "ack": consuming.ack,
        "change": consuming.change,
        "listen": consuming.listen,
        "lite": consuming.lite,
        "subscribe": consuming.subscribe,
        "unsubscribe": consuming.unsubscribe,
        "heard": consuming.heard,
        "stop": stop,
    }
    output = threading.Lock()

    def answer(args):
        try:
            pairs = operations[args["op"]](args) or []
        except Exception as e:
            # The client's exceptions have the proxy's Status code.
            pairs = [("error", traceback.format_exc()), ("code", getattr(e, "code", None) or 0)]
        with output:
            print(urlencode(pairs + [("call", args["call"])]), flush=True)

    calls = ThreadPoolExecutor(CALLS_MOST)
    for line in sys.stdin:
        calls.submit(answer, dict(parse_qsl(line.rstrip("\n"), keep_blank_values=True)))
    os._exit(0)  # whatever still waits


main()
