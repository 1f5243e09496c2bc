"""Messages made from a seed and an index: the twin of content.go, which has the reasons."""

import hashlib

BODY_BYTES_MAX = 4 << 20
WORD = (1 << 64) - 1


class SplitMix:
    def __init__(self, state):
        self.state = state

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & WORD
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
        return z ^ (z >> 31)


class Series:
    """A row of messages, numbered from 0, none longer than bytes_most."""

    def __init__(self, args):
        self.seed = int(args["seed"])
        self.bytes_most = int(args["most"])

    def size(self, index):
        def between(low, high):
            return low + self._random(index).next() % (high - low + 1)

        r = index * 389 % 1000
        if r == 0:
            size = 1
        elif r == 389:
            size = BODY_BYTES_MAX
        elif r < 10:
            size = between(64 << 10, 1 << 20)
        elif r < 100:
            size = between(4 << 10, 64 << 10)
        else:
            size = between(1, 4 << 10)
        return min(size, self.bytes_most)

    def at(self, index):
        random = self._random(index)
        random.next()  # size had this one
        size = self.size(index)
        body = b"".join(random.next().to_bytes(8, "little") for _ in range((size + 7) // 8))
        return Content(body[:size], f"tag-{index % 7}", [f"key-{index}", f"row-{index % 13}"],
                       {"seed": str(self.seed), "index": str(index), "note": f"ø 世界 =&; {index}"})

    def _random(self, index):
        return SplitMix(SplitMix(self.seed).next() ^ index)


class Content:
    def __init__(self, body, tag, keys, properties):
        self.body = body
        self.tag = tag
        self.keys = keys
        self.properties = properties

    def fingerprint(self):
        rest = ["", self.tag, " ".join(self.keys)]
        rest += [f"{key}={self.properties[key]}" for key in sorted(self.properties)]
        return hashlib.sha256(self.body + "\0".join(rest).encode()).hexdigest()
