"""How a client is started."""

import threading

TRIES = 3

one_at_a_time = threading.Lock()


def started(make):
    """A client that has its settings.

    Where two of this client start at once, one of them may find "no current event loop", of which only its log tells,
    and stay without a telemetry stream. And a simple consumer does not wait for its settings, though polls that come
    before are refused.
    """
    for _ in range(TRIES):
        with one_at_a_time:
            client = make()
            client.startup()
        if client._init_settings_event.wait(5):
            return client
        client.shutdown()
    raise RuntimeError("no settings")
