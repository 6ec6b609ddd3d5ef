#!/usr/bin/env python3
"""A relay between a client and a server on loopback, for tests and experiments: relay.py PORT [SECONDS [BITS]].
Prints its own port, forwards every connection to PORT, each way SECONDS late and at BITS a second, which all
connections share. SIGUSR1: from now on nothing passes, also of new connections; SIGUSR2: everything passes again."""
import asyncio
import signal
import sys


class Link:
    """One direction: a piece is through `delay` after its last bit went out, one bit after the other."""

    def __init__(self, delay, bits):
        self.delay, self.bits, self.free = delay, bits, 0.0

    def due(self, now, size):
        self.free = max(self.free, now) + (8 * size / self.bits if self.bits else 0)
        return self.free + self.delay


async def pump(reader, writer, link, open_gate):
    """Forwards what is read, in order, each piece when the link is done with it and while the gate is open."""
    loop = asyncio.get_running_loop()
    pieces = asyncio.Queue(maxsize=1024)  # of at most 64 KiB: more waits in the sender

    async def read():
        try:
            while data := await reader.read(1 << 16):
                await pieces.put((link.due(loop.time(), len(data)), data))
        except ConnectionError:
            pass
        await pieces.put((link.due(loop.time(), 0), b""))

    task = asyncio.create_task(read())
    try:
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(max(0, due - loop.time()))
            await open_gate.wait()
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        task.cancel()
        writer.close()


async def main():
    port = int(sys.argv[1])
    delay, bits = (float(sys.argv[i]) if len(sys.argv) > i else 0.0 for i in (2, 3))
    there_link, back_link = Link(delay, bits), Link(delay, bits)
    gate = asyncio.Event()
    gate.set()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, gate.clear)
    loop.add_signal_handler(signal.SIGUSR2, gate.set)

    async def connect(reader, writer):
        try:
            there = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, there[1], there_link, gate), pump(there[0], writer, back_link, gate))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
