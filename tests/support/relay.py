#!/usr/bin/env python3
"""A relay between a client and a server on loopback, for tests: relay.py PORT [SECONDS].
Prints its own port, forwards every connection to PORT, each way SECONDS late. SIGUSR1: from now on nothing passes, also of new
connections; SIGUSR2: everything passes again."""
import asyncio
import signal
import sys


async def pump(reader, writer, delay, open_gate):
    """Forwards what is read, in order, each piece `delay` after it came and while the gate is open."""
    loop = asyncio.get_running_loop()
    pieces = asyncio.Queue(maxsize=1024)

    async def read():
        try:
            while data := await reader.read(1 << 16):
                await pieces.put((loop.time() + delay, data))
        except ConnectionError:
            pass
        await pieces.put((loop.time() + delay, b""))

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
    port, delay = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
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
        await asyncio.gather(pump(reader, there[1], delay, gate), pump(there[0], writer, delay, gate))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
